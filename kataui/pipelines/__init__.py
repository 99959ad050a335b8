"""CI/CD pipelines on Kata: templates, answers, rendering, checks, adopting what people have."""
