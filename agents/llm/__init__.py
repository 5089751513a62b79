"""One call of a language model, over any server with an OpenAI-compatible API."""
