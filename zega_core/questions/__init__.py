"""What ZEGA asks a writer in a conversation: from a grammar of its own, or by a teacher."""
