"""From a passed pilot to as many accepted rows as are wanted."""
