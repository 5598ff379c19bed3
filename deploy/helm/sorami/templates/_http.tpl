{{- define "sorami.http" -}}
{{- $root := .root -}}
{{- $port := (get (include "sorami.ports" $root | fromYaml) .service).http -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "sorami.fullname" $root }}-{{ .service }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .service }}
  {{- with .values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.service.type }}
  ipFamilyPolicy: PreferDualStack
  selector:
    {{- include "sorami.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .service }}
  ports:
    - {name: http, port: {{ $port }}, targetPort: http, appProtocol: http}
{{- end -}}
