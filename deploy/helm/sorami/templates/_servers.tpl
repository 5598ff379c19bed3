{{/* Where Postgres, Kafka and S3 are, as settings of our processes; nothing secret is ever written out. */}}

{{- define "sorami.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: {name: {{ .secret }}, key: {{ .key | quote }}}
{{- end -}}

{{- define "sorami.postgres.secret" -}}
{{- if .Values.postgres.existingSecret -}}
{{- .Values.postgres.existingSecret -}}
{{- else if .Values.postgres.cluster.enabled -}}
{{- include "sorami.fullname" . }}-postgres-app
{{- else -}}
{{- fail "postgres.existingSecret is required: kubectl create secret generic sorami-postgres --from-literal=DATABASE_URL=postgresql://…, then --set postgres.existingSecret=sorami-postgres (or let CloudNativePG make the database: postgres.cluster.enabled=true)" -}}
{{- end -}}
{{- end -}}

{{- define "sorami.postgres.key" -}}
{{- if and .Values.postgres.cluster.enabled (not .Values.postgres.existingSecret) -}}uri{{- else -}}{{ .Values.postgres.key }}{{- end -}}
{{- end -}}

{{- define "sorami.postgres.env" -}}
{{- $root := .root -}}
{{ include "sorami.secretVariable" (dict "name" "DATABASE_URL" "secret" (include "sorami.postgres.secret" $root) "key" (include "sorami.postgres.key" $root)) }}
{{- with get $root.Values.postgres.serviceKeys (default "" .service) }}
{{ include "sorami.secretVariable" (dict "name" (printf "SORAMI_%s_DATABASE_URL" (upper $.service)) "secret" (include "sorami.postgres.secret" $root) "key" .) }}
{{- end }}
{{- end -}}

{{/* What the values say of Kafka, and what follows when Strimzi makes the brokers or the user. */}}
{{- define "sorami.kafka" -}}
{{- $kafka := .Values.kafka -}}
{{- $made := $kafka.strimzi.cluster.enabled -}}
{{- $full := include "sorami.fullname" . -}}
{{- $cluster := ternary (printf "%s-kafka" $full) $kafka.strimzi.clusterName $made -}}
{{- $user := or $made $kafka.strimzi.user -}}
{{- if and (or $kafka.strimzi.user $kafka.strimzi.topics) (not $cluster) -}}
{{- fail "kafka.strimzi.clusterName is required with kafka.strimzi.topics and kafka.strimzi.user: name the Kafka resource they belong to" -}}
{{- end -}}
{{- $bootstrap := $kafka.bootstrapServers -}}
{{- if and $made (not $bootstrap) -}}{{- $bootstrap = printf "%s-kafka-bootstrap.%s:9093" $cluster .Release.Namespace -}}{{- end -}}
{{- if not $bootstrap -}}
{{- fail "kafka.bootstrapServers is required: --set kafka.bootstrapServers='kafka-1:9092\\,kafka-2:9092' (or let Strimzi make the brokers: kafka.strimzi.cluster.enabled=true)" -}}
{{- end -}}
{{- $protocol := ternary "SASL_SSL" $kafka.securityProtocol $made -}}
{{- if and $kafka.strimzi.user (not (hasPrefix "SASL" $protocol)) -}}
{{- fail "kafka.securityProtocol must be SASL_SSL or SASL_PLAINTEXT when kafka.strimzi.user makes the user: it signs in by SCRAM-SHA-512" -}}
{{- end -}}
{{- $sasl := hasPrefix "SASL" $protocol -}}
{{- if and $sasl (not $user) (not $kafka.sasl.existingSecret) -}}
{{- fail "kafka.sasl.existingSecret is required when kafka.securityProtocol is SASL_PLAINTEXT or SASL_SSL: a secret with user and password" -}}
{{- end -}}
{{- $tls := hasSuffix "SSL" $protocol -}}
bootstrap: {{ $bootstrap | quote }}
protocol: {{ $protocol }}
cluster: {{ $cluster | quote }}
user: {{ $user }}
userName: {{ $full }}
topics: {{ or $made $kafka.strimzi.topics }}
sasl: {{ $sasl }}
tls: {{ $tls }}
mechanism: {{ ternary "SCRAM-SHA-512" $kafka.sasl.mechanism $user }}
saslSecret: {{ ternary $full $kafka.sasl.existingSecret $user | quote }}
passwordKey: {{ ternary "password" $kafka.sasl.passwordKey $user }}
caSecret: {{ if $tls }}{{ ternary (printf "%s-cluster-ca-cert" $cluster) $kafka.tls.caSecret (and $made (empty $kafka.tls.caSecret)) | quote }}{{ else }}""{{ end }}
clientSecret: {{ if $tls }}{{ $kafka.tls.clientSecret | quote }}{{ else }}""{{ end }}
{{- end -}}

{{- define "sorami.kafka.env" -}}
{{- $kafka := include "sorami.kafka" . | fromYaml -}}
- {name: KAFKA_BOOTSTRAP_SERVERS, value: {{ $kafka.bootstrap | quote }}}
- {name: KAFKA_SECURITY_PROTOCOL, value: {{ $kafka.protocol }}}
{{- if $kafka.sasl }}
- {name: KAFKA_SASL_MECHANISM, value: {{ $kafka.mechanism }}}
{{- if $kafka.user }}
- {name: KAFKA_SASL_USERNAME, value: {{ $kafka.userName }}}
{{- else }}
{{ include "sorami.secretVariable" (dict "name" "KAFKA_SASL_USERNAME" "secret" $kafka.saslSecret "key" .Values.kafka.sasl.usernameKey) }}
{{- end }}
{{ include "sorami.secretVariable" (dict "name" "KAFKA_SASL_PASSWORD" "secret" $kafka.saslSecret "key" $kafka.passwordKey) }}
{{- end }}
{{- if $kafka.caSecret }}
- {name: KAFKA_SSL_CAFILE, value: /etc/sorami/kafka-ca/ca.crt}
{{- end }}
{{- if $kafka.clientSecret }}
- {name: KAFKA_SSL_CERTFILE, value: /etc/sorami/kafka-client/tls.crt}
- {name: KAFKA_SSL_KEYFILE, value: /etc/sorami/kafka-client/tls.key}
{{- end }}
{{- with .Values.kafka.topicPrefix }}
- {name: SORAMI_TOPIC_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- end -}}

{{- define "sorami.s3.env" -}}
{{- $s3 := .Values.s3 -}}
{{- if not (or $s3.existingSecret $s3.workloadIdentity) -}}
{{- fail "s3.existingSecret is required: a secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or s3.workloadIdentity=true where the service account may use the bucket)" -}}
{{- end -}}
- {name: S3_BUCKET, value: {{ $s3.bucket | quote }}}
- {name: S3_REGION, value: {{ $s3.region | quote }}}
{{- with $s3.endpointUrl }}
- {name: S3_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- with $s3.publicEndpointUrl }}
- {name: S3_PUBLIC_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- with $s3.existingSecret }}
{{ include "sorami.secretVariable" (dict "name" "AWS_ACCESS_KEY_ID" "secret" . "key" $s3.accessKeyIdKey) }}
{{ include "sorami.secretVariable" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" . "key" $s3.secretAccessKeyKey) }}
{{- end }}
{{- end -}}

{{/* Those of `secretSettings` that this service reads. */}}
{{- define "sorami.secretSettings.env" -}}
{{- $readers := .root.Files.Get "files/settings.yaml" | fromYaml -}}
{{- $service := .service -}}
{{- range $name, $place := .root.Values.secretSettings }}
{{- if has $service (get $readers $name) }}
{{ include "sorami.secretVariable" (dict "name" $name "secret" $place.secret "key" $place.key) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Changes with the content of every secret that pods read, so that an upgrade restarts them; empty without a cluster. */}}
{{- define "sorami.secretsChecksum" -}}
{{- $root := . -}}
{{- $kafka := include "sorami.kafka" . | fromYaml -}}
{{- $names := list (include "sorami.postgres.secret" .) .Values.postgres.caSecret .Values.s3.existingSecret $kafka.caSecret $kafka.clientSecret -}}
{{- if $kafka.sasl -}}{{- $names = append $names $kafka.saslSecret -}}{{- end -}}
{{- range .Values.secretSettings -}}{{- $names = append $names .secret -}}{{- end -}}
{{- $seen := list -}}
{{- range $names | compact | uniq | sortAlpha -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace . -}}
{{- $seen = append $seen (dict "name" . "data" (dig "data" dict $secret)) -}}
{{- end -}}
{{- $seen | toJson | sha256sum -}}
{{- end -}}
