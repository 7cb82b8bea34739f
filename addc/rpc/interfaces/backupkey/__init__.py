"""BackupKey: users' secrets wrapped for the domain, so that no forgotten password loses them ([MS-BKRP])."""
