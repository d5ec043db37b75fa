"""One run: its inputs, its folder, its stages in order, and the report put together from them."""
