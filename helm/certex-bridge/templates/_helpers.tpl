{{- define "certex.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "certex.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "certex.name" . -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "certex.selector" -}}
app.kubernetes.io/name: {{ include "certex.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "certex.labels" -}}
{{ include "certex.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: certex-bridge
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "certex.image" -}}
{{- if eq .Values.image.tag "latest" }}{{ fail "image.tag: name a version, never latest" }}{{ end -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "certex.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "certex.fullname" .) }}
{{- else -}}{{ .Values.serviceAccount.name | default "default" }}{{- end -}}
{{- end -}}

{{- define "certex.secret" -}}
{{- if .Values.secrets.externalSecret.enabled -}}{{ include "certex.fullname" . }}
{{- else -}}{{ required "secrets.existingSecret: name the Secret with certex_database_url, or enable secrets.externalSecret" .Values.secrets.existingSecret }}{{- end -}}
{{- end -}}

{{/* Settings of a role as environment: common ones, then the role's, then those the chart fixes. (dict "root" $ "settings" map) */}}
{{- define "certex.environment" -}}
{{- range $name, $value := .settings }}
- name: {{ $name }}
  value: {{ ternary ($value | toJson) (printf "%v" $value) (or (kindIs "map" $value) (kindIs "slice" $value)) | quote }}
{{- end }}
- name: CERTEX_SECRETS_DIR
  value: /etc/certex/secrets
{{- end -}}

{{- define "certex.certificateMounts" -}}
{{- range .Values.certificates }}
- name: {{ printf "certificates-%s" .name }}
  mountPath: /etc/certex/{{ .name }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "certex.certificateVolumes" -}}
{{- range .Values.certificates }}
- name: {{ printf "certificates-%s" .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
{{- end -}}
