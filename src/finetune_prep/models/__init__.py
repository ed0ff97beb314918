"""The one door to language models. Nothing else in the program knows keys, prices, HTTP or time-outs."""
