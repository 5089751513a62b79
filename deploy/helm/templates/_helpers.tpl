{{/* Labels by which objects of a role select their pods; called with a dict of "root" and "role". */}}
{{- define "content-studio.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "content-studio.labels" -}}
{{ include "content-studio.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "content-studio.name" -}}
{{ .root.Release.Name }}-{{ .role }}
{{- end }}

{{- define "content-studio.claim" -}}
{{ .Values.storage.existingClaim | default .Release.Name }}
{{- end }}

{{/* The fields of a pod that all roles have. */}}
{{- define "content-studio.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 40
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - {name: data, persistentVolumeClaim: {claimName: {{ include "content-studio.claim" .root }}}}
  - {name: tmp, emptyDir: {sizeLimit: 1Gi}}
  - {name: secrets, secret: {secretName: {{ .root.Values.secret.name }}}}
{{- end }}

{{/* The fields of a container that all roles have. */}}
{{- define "content-studio.container" -}}
name: {{ .role }}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  - {name: ROLE, value: {{ .role }}}
  {{- range $name, $value := .root.Values.settings }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  {{- range $name, $key := .root.Values.secret.keys }}
  - {name: {{ $name }}_FILE, value: /run/secrets/studio/{{ $key }}}
  {{- end }}
securityContext:
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  - {name: secrets, mountPath: /run/secrets/studio, readOnly: true}
resources:
  {{- toYaml (index .root.Values .role).resources | nindent 2 }}
{{- end }}

{{/* Probes of roles without a port. A worker that hangs is restarted; one that waits for Redis or the database is not unhealthy. */}}
{{- define "content-studio.heartbeat-probes" -}}
startupProbe:
  exec: {command: [python, -m, contentstudio.runtime.healthcheck]}
  periodSeconds: 10
  timeoutSeconds: 25
  failureThreshold: 360
livenessProbe:
  exec: {command: [python, -m, contentstudio.runtime.healthcheck, --max-age, "60"]}
  periodSeconds: 30
  timeoutSeconds: 25
  failureThreshold: 3
{{- end }}
