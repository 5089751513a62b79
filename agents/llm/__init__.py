"""The model boundary: everything between an assignment and a server that speaks OpenAI's protocol."""
