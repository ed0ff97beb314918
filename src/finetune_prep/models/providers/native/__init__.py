"""Anthropic, Gemini and Bedrock in their own APIs, through pydantic-ai (the extra `native`): a module of its name for each."""
