"""The six CrewAI agents and the tasks they are given. The only package that imports CrewAI."""
