module github.com/seshat-project/seshat

go 1.26.0
