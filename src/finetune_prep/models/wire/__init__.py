"""How providers write requests and answers. Pure: bytes and values in, values out."""
