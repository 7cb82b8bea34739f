"""The rules of the directory, [MS-ADTS] 3.1.1; the only door to its objects."""
