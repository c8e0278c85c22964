"""The run of a verb: its plan, its question, its engine, its report; in the background, too."""
