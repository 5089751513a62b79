"""A small FastAPI and SQLAlchemy application with the studio's most used reads, to compare request throughput with."""
