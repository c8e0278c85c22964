"""Room: commands. One file a verb; what verbs stand on lies in rooms of its own."""
