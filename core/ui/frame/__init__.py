"""The frame around every page: navigation, language, words that are not ours."""
