"""Set-up and checks of the project, run by the Makefile: the virtual environment, Debian packages, PostgreSQL, the tests."""
