{{/* Settings that are no secrets, for all services alike. */}}

{{- define "sorami.settings" -}}
{{- $full := include "sorami.fullname" . -}}
{{- $namespace := .Release.Namespace -}}
{{- $hosts := list (include "sorami.publicHost" .) -}}
{{- range $service, $port := dict "gateway" 9006 "notifier" 9009 -}}
{{- range list "" (printf ".%s" $namespace) (printf ".%s.svc" $namespace) (printf ".%s.svc.cluster.local" $namespace) -}}
{{- $hosts = append $hosts (printf "%s-%s%s:%d" $full $service . (int $port)) -}}
{{- end -}}
{{- end -}}
{{- with get .Values.settings "SORAMI_ALLOW_HOSTS" -}}{{- $hosts = append $hosts . -}}{{- end -}}
ENVIRONMENT: {{ .Values.environment }}
SORAMI_PUBLIC_URL: {{ include "sorami.publicUrl" . | quote }}
SORAMI_ALLOW_HOSTS: {{ join "," $hosts | quote }}
SORAMI_HOST: {{ .Values.listenAddress | quote }}
SORAMI_NOTIFIER_HOST: {{ .Values.listenAddress | quote }}
SORAMI_INTERNAL_HOST: {{ .Values.listenAddress | quote }}
SORAMI_NOTIFIER_URL: {{ printf "http://%s-notifier:9009" $full | quote }}
{{- if .Values.workflowsConfigMap }}
SORAMI_COMFYUI_WORKFLOWS: /etc/sorami/workflows
{{- end }}
{{- if .Values.moderationWordsConfigMap }}
SORAMI_MODERATION_WORDS: /etc/sorami/moderation/words.txt
{{- end }}
{{- range $name, $value := omit .Values.settings "SORAMI_ALLOW_HOSTS" }}
{{ $name }}: {{ (kindIs "string" $value | ternary $value (toJson $value)) | quote }}
{{- end }}
{{- end -}}
