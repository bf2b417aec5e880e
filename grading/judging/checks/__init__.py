"""What hidden tests share: typed and tested probes of a student's work, and what is right."""
