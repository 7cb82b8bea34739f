"""Directory replication and the name service beside it: the drsuapi interface of [MS-DRSR]."""
