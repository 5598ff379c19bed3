//go:build tools

// What `make alerts-check` builds, so that go.sum holds its hashes.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
