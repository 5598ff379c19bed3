//go:build tools

// What `make chart-cluster` builds besides, so that go.sum holds its hashes.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
