"""One call of a language model, over any server that speaks OpenAI's protocol."""
