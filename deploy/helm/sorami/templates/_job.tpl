{{/* A job of ours: migrations (with a phase) or topics (without). */}}
{{- define "sorami.job" -}}
{{- $root := .root -}}
{{- $name := printf "%s-%s" (include "sorami.fullname" $root) .component -}}
{{- if .beside -}}
{{- $name = printf "%s-%s" $name (include "sorami.image" $root | sha256sum | trunc 8) -}}
{{- end -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- if not .beside }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: {{ .weight | quote }}
    # A failed one stays, so that its log can be read; the next upgrade removes it.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
  {{- end }}
spec:
  backoffLimit: {{ ternary 10 3 (not (not .beside)) }}
  {{- if not .beside }}
  podFailurePolicy:
    rules:
      # A wrong setting stays wrong: whoever waits for the hook hears of it at once.
      - {action: FailJob, onExitCodes: {operator: In, values: [78]}}
  {{- end }}
  activeDeadlineSeconds: {{ .deadline }}
  {{- if .beside }}
  ttlSecondsAfterFinished: 86400
  {{- end }}
  template:
    metadata:
      labels:
        {{- include "sorami.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        sorami.io/flows: {{ ternary "migrate" "topics" (hasKey . "phase") }}
    spec:
      # Hooks run before the release's own service account is there; nothing of it is needed.
      serviceAccountName: default
      {{- include "sorami.pod.security" $root | nindent 6 }}
      restartPolicy: Never
      containers:
        - name: {{ .component }}
          {{- include "sorami.container.security" $root | nindent 10 }}
          {{- if .phase }}
          command: [python, -m, services.persistence.migrate, --phase, {{ .phase }}, --wait, "120"]
          env:
            {{- include "sorami.postgres.env" (dict "root" $root) | nindent 12 }}
          {{- else }}
          command: [python, -m, services.persistence.topics]
          env:
            {{- include "sorami.kafka.env" $root | nindent 12 }}
            - {name: SORAMI_TOPIC_REPLICATION, value: {{ $root.Values.kafka.replication | quote }}}
          {{- end }}
          resources:
            {{- toYaml $root.Values.migrations.resources | nindent 12 }}
          volumeMounts:
            {{- include "sorami.mounts" (dict "root" $root "service" .component) | nindent 12 }}
      volumes:
        {{- include "sorami.volumes" (dict "root" $root "service" .component) | nindent 8 }}
{{- end -}}
