"""How a message sounds: sentiment, urgency, harm, kind and address."""
