{{/* One service as a Deployment, its disruption budget and its autoscaler.
Takes root, component (its name), service (which of the four) and values (its values). */}}

{{/* `http` is what people reach; `internal` has probes and metrics. Generator and persistence have no other. */}}
{{- define "sorami.ports" -}}
gateway: {http: 9006, internal: 9016}
generator: {internal: 9007}
persistence: {internal: 9008}
notifier: {http: 9009, internal: 9019}
{{- end -}}

{{- define "sorami.service" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $name := printf "%s-%s" (include "sorami.fullname" $root) .component -}}
{{- $ports := get (include "sorami.ports" $root | fromYaml) .service -}}
{{- $probed := hasKey $ports "http" | ternary "http" "internal" -}}
{{- $scaled := ne $values.autoscaling.type "none" -}}
{{- if and $scaled (lt (int $values.autoscaling.maxReplicas) (int $values.autoscaling.minReplicas)) -}}
{{- fail (printf "%s.autoscaling.maxReplicas is below minReplicas" .component) -}}
{{- end -}}
{{- if and (hasKey $ports "http") (lt (int $values.terminationGracePeriodSeconds) (add 30 (int $root.Values.lingerSeconds))) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds is less than lingerSeconds and the 30 seconds that a drain may take" .component) -}}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not $scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "sorami.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "sorami.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        sorami.io/flows: {{ .service }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/settings: {{ include "sorami.settings" $root | sha256sum }}
        checksum/secrets: {{ include "sorami.secretsChecksum" $root }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "sorami.serviceAccount" $root }}
      {{- include "sorami.pod.security" $root | nindent 6 }}
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.topologySpread }}
      {{- if .enabled }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: {{ .topologyKey }}
          whenUnsatisfiable: {{ .whenUnsatisfiable }}
          labelSelector:
            matchLabels:
              {{- include "sorami.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $.component }}
          matchLabelKeys: [pod-template-hash]
      {{- end }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .service }}
          {{- include "sorami.container.security" $root | nindent 10 }}
          command: [python, -m, services.{{ .service }}]
          envFrom:
            - configMapRef: {name: {{ include "sorami.fullname" $root }}-settings}
          env:
            {{- include "sorami.postgres.env" . | nindent 12 }}
            {{- include "sorami.kafka.env" $root | nindent 12 }}
            {{- if has .service (list "gateway" "generator") }}
            {{- include "sorami.s3.env" $root | nindent 12 }}
            {{- end }}
            {{- if hasKey $ports "http" }}
            # Endpoints forget a pod a moment after it is told to stop: it answers on until then.
            - {name: SORAMI_LINGER_SECONDS, value: {{ $root.Values.lingerSeconds | quote }}}
            {{- end }}
            {{- with include "sorami.secretSettings.env" . | trim }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- range $name, $port := $ports }}
            - {name: {{ $name }}, containerPort: {{ $port }}}
            {{- end }}
          startupProbe:
            httpGet: {path: /healthz, port: {{ $probed }}}
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: {{ $probed }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: {{ $probed }}}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 3
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- include "sorami.mounts" . | nindent 12 }}
      volumes:
        {{- include "sorami.volumes" . | nindent 8 }}
{{- if $values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sorami.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- if eq $values.autoscaling.type "hpa" }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ $values.autoscaling.minReplicas }}
  maxReplicas: {{ $values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $values.autoscaling.targetCPU }}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 300}
{{- else if eq $values.autoscaling.type "keda" }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $name }}
  labels:
    {{- include "sorami.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  scaleTargetRef: {name: {{ $name }}}
  pollingInterval: {{ $root.Values.keda.pollingInterval }}
  minReplicaCount: {{ $values.autoscaling.minReplicas }}
  maxReplicaCount: {{ $values.autoscaling.maxReplicas }}
  # While the measure cannot be taken, what was there last stays.
  fallback: {failureThreshold: 5, replicas: {{ $values.autoscaling.minReplicas }}, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {stabilizationWindowSeconds: {{ $root.Values.keda.scaleDownSeconds }}}
  triggers:
    {{- include "sorami.triggers" . | nindent 4 }}
{{- end }}
{{- end -}}

{{/* What really measures load: tasks that want a slot for generators, whose topics are read at once; lag for the others. */}}
{{- define "sorami.triggers" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- if eq .service "generator" }}
- type: postgresql
  metadata:
    query: >-
      SELECT count(*) FROM sorami.tasks t
      WHERE (state = 'running' OR state = 'queued' AND due_at <= now() AND NOT EXISTS (
        SELECT FROM sorami.pauses p WHERE p.scope = 'all' OR (p.scope, p.name) IN
          (('provider', t.provider), ('kind', t.kind), ('model', t.model)))){{ .providersSql }}
    targetQueryValue: {{ $values.autoscaling.tasksPerPod | quote }}
  authenticationRef: {name: {{ include "sorami.fullname" $root }}-postgres}
{{- else }}
{{- $kafka := include "sorami.kafka" $root | fromYaml }}
{{- $topics := $root.Files.Get "files/topics.yaml" | fromYaml }}
{{- $prefix := $root.Values.kafka.topicPrefix }}
{{- range get $topics.heard .service }}
- type: kafka
  metadata:
    bootstrapServers: {{ $kafka.bootstrap | quote }}
    consumerGroup: {{ printf "%ssorami.%s" $prefix $.service | quote }}
    topic: {{ printf "%s%s" $prefix . | quote }}
    lagThreshold: {{ $values.autoscaling.lagPerPod | quote }}
    limitToPartitionsWithLag: "true"
  {{- if or $kafka.sasl $kafka.tls }}
  authenticationRef: {name: {{ include "sorami.fullname" $root }}-kafka}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}
