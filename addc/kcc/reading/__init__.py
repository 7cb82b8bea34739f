"""The planner's view from what others have: entries, LDIF, and what-if questions about both."""
