"""A trial of one synthetic subject, whose one alert must come out: the end of the self-test."""
