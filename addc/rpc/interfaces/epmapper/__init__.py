"""The endpoint mapper: on which port, and in which pipe, an interface is reached."""
