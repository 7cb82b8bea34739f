"""SMB 2 and 3: the DC's file server and the way in to named pipes.

Messages: messages (header and body of every command), frames, outgoing, signing, encryption, credits.
Connections and sessions: service (all of them), connection (one), negotiate, session_setup, session, trees;
policy (what the operator decides, limits), request (the contract with what serves requests).
Shares: shares (their table), volume (a tree of files, as the rest needs it), sysvol_volume (in the database),
host_volume, host_tree, host_handles, host_shares (folders of the host).
Names and rights: names, paths, file_access, new_descriptors.
Opening: create, create_contexts, create_reply, reopen (clients that come back), opens, file_handlers.
What opens share: share_modes, locks, lock_ranges, leases, caching, breaks.
Working: files (read, write), query_info, set_info, rename, query_directory, fscc (what all of them say),
notify, change_notify, file_ioctls.
Pipes and control codes: pipes (the door to RPC), pipe_files, ioctl, dfs (referrals).
"""
