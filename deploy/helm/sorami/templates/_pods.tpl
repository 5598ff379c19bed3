{{/* What every pod of ours is, hooks and tests included: Pod Security "restricted", and a little more. */}}

{{- define "sorami.pod.security" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sorami.container.security" -}}
image: {{ include "sorami.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "sorami.mounts" -}}
{{- $kafka := include "sorami.kafka" .root | fromYaml -}}
- {name: tmp, mountPath: /tmp}
{{- if .root.Values.postgres.caSecret }}
- {name: postgres-ca, mountPath: /etc/sorami/postgres, readOnly: true}
{{- end }}
{{- if $kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/sorami/kafka-ca, readOnly: true}
{{- end }}
{{- if $kafka.clientSecret }}
- {name: kafka-client, mountPath: /etc/sorami/kafka-client, readOnly: true}
{{- end }}
{{- if and .root.Values.workflowsConfigMap (has .service (list "gateway" "generator")) }}
- {name: workflows, mountPath: /etc/sorami/workflows, readOnly: true}
{{- end }}
{{- if and .root.Values.moderationWordsConfigMap (eq .service "generator") }}
- {name: moderation, mountPath: /etc/sorami/moderation, readOnly: true}
{{- end }}
{{- end -}}

{{- define "sorami.volumes" -}}
{{- $root := .root -}}
{{- $kafka := include "sorami.kafka" $root | fromYaml -}}
- name: tmp
  emptyDir: {sizeLimit: 2Gi}
{{- with $root.Values.postgres.caSecret }}
- name: postgres-ca
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with $kafka.caSecret }}
- name: kafka-ca
  secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: {{ $root.Values.kafka.tls.caKey | quote }}, path: ca.crt}]}
{{- end }}
{{- with $kafka.clientSecret }}
- name: kafka-client
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      - {key: {{ $root.Values.kafka.tls.certKey | quote }}, path: tls.crt}
      - {key: {{ $root.Values.kafka.tls.keyKey | quote }}, path: tls.key}
{{- end }}
{{- if and $root.Values.workflowsConfigMap (has .service (list "gateway" "generator")) }}
- name: workflows
  configMap: {name: {{ $root.Values.workflowsConfigMap }}}
{{- end }}
{{- if and $root.Values.moderationWordsConfigMap (eq .service "generator") }}
- name: moderation
  configMap: {name: {{ $root.Values.moderationWordsConfigMap }}}
{{- end }}
{{- end -}}
