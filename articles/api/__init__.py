"""The REST API: endpoints per concern, and their request and response schemas."""
