"""What is found out of what is there: listings, counts, differences, properties, health."""
