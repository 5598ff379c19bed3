{{/* One policy: who may reach these pods, and what they may reach besides the name servers. */}}
{{- define "sorami.flows" -}}
{{- $root := .root -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "sorami.fullname" $root }}-{{ .of }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "sorami.selector" $root | nindent 6 }}
      sorami.io/flows: {{ .of }}
  policyTypes: [Ingress, Egress]
  {{- if .ingress }}
  ingress:
    {{- range .ingress }}
    - ports:
        {{- range .ports }}
        - {protocol: TCP, port: {{ . }}}
        {{- end }}
      {{- with .from }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
  {{- end }}
  egress:
    - ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
      to:
        {{- if $root.Values.networkPolicy.dnsTo }}
        {{- toYaml $root.Values.networkPolicy.dnsTo | nindent 8 }}
        {{- else }}
        - namespaceSelector: {}
        {{- end }}
    {{- range .egress }}
    - ports:
        {{- range .ports }}
        - {protocol: TCP, port: {{ . }}}
        {{- end }}
      {{- with .to }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
{{- end -}}
