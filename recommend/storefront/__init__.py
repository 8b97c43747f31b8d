"""The pages that shoppers see: rendered on the server, working without JavaScript."""
