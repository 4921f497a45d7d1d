{{/*
Values that a caller's file does not know yet: `helm upgrade --reuse-values` keeps the values of the old release as they were,
so a key that is new here is nothing at all, and each template that reads below it fails. files/defaults.yaml is a copy
of values.yaml. Every template begins with this.
*/}}
{{- define "certex.defaults" -}}
{{- $_ := set . "Values" (mergeOverwrite (.Files.Get "files/defaults.yaml" | fromYaml) .Values) -}}
{{- end -}}

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

{{/* Secret of everything that has none of its own. */}}
{{- define "certex.commonSecret" -}}
{{- if .Values.secrets.externalSecret.enabled -}}{{ include "certex.fullname" . }}
{{- else -}}{{ .Values.secrets.existingSecret }}{{- end -}}
{{- end -}}

{{/* Keys of a Secret as files, those of them that are there. (dict "secret" name "keys" list) */}}
{{- define "certex.secretSource" -}}
{{- if .secret }}
- secret:
    name: {{ .secret }}
    optional: {{ .optional }}
    items:
      {{- range .keys }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end -}}

{{/*
The files of CERTEX_SECRETS_DIR: what this role uses and nothing else. (dict "root" $ "role" name); the roles, migrations, test.
`optional` because a key that nobody needs may be missing; the process itself says what it lacks.
*/}}
{{- define "certex.secretSources" -}}
{{- $secrets := .root.Values.secrets -}}
{{- $common := include "certex.commonSecret" .root -}}
{{- $database := required "secrets.existingSecret: name the Secret with certex_database_url, or secrets.database, or enable secrets.externalSecret" ($secrets.database | default $common) -}}
{{- include "certex.secretSource" (dict "secret" $database "keys" (list "certex_database_url") "optional" false) }}
{{- if eq .role "migrations" }}
{{- include "certex.secretSource" (dict "secret" ($secrets.migrations | default $common) "keys" (list "certex_database_migration_url") "optional" (not $secrets.migrations)) }}
{{- end }}
{{- if has .role (list "intake" "relay" "gateway") }}
{{- $own := get $secrets.kafka .role }}
{{- if and (not $own) (eq (include "certex.strimziLogin" .root) "true") }}
- secret:
    name: {{ include "certex.fullname" .root }}-{{ .role }}
    optional: false
    items:
      - {key: password, path: certex_kafka_password}
{{- else }}
{{- $keys := list "certex_kafka_username" "certex_kafka_password" "certex_kafka_ssl_key_password" "certex_kafka_oauth_client_secret" }}
{{- include "certex.secretSource" (dict "secret" ($own | default $common) "keys" $keys "optional" true) }}
{{- end }}
{{- end }}
{{- if has .role (list "worker" "gateway") }}
{{- include "certex.secretSource" (dict "secret" ($secrets.pushes | default $common) "keys" (list "certex_push_keys") "optional" true) }}
{{- end }}
{{- if eq .role "gateway" }}
{{- include "certex.secretSource" (dict "secret" ($secrets.console | default $common) "keys" (list "certex_console_key" "certex_console_oidc_secret") "optional" true) }}
{{- include "certex.secretSource" (dict "secret" $common "keys" (list "certex_http_ssl_key_password") "optional" true) }}
{{- end }}
{{- end -}}

{{/* Whether the logins at the brokers are those that Strimzi makes. */}}
{{- define "certex.strimziLogin" -}}
{{- and .Values.strimzi.users.enabled (eq .Values.strimzi.users.authentication "scram-sha-512") -}}
{{- end -}}

{{/* The volume of these files. (dict "root" $ "role" name) */}}
{{- define "certex.secretVolume" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- include "certex.secretSources" . | nindent 6 }}
{{- end -}}

{{/* Settings of a pod that speaks to the database alone: what it has no secret for is not told to it either. */}}
{{- define "certex.databaseSettings" -}}
{{- $found := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- if or (hasPrefix "CERTEX_DATABASE_" $name) (hasPrefix "CERTEX_LOG_" $name) (hasSuffix "_TIMEOUT_MS" $name) -}}
{{- if not (hasPrefix "CERTEX_KAFKA_" $name) -}}{{- $_ := set $found $name $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Settings of a role as environment: common ones, then the role's, then those the chart fixes. (dict "settings" map) */}}
{{- define "certex.environment" -}}
{{- range $name, $value := .settings }}
- name: {{ $name }}
  value: {{ ternary ($value | toJson) (printf "%v" $value) (or (kindIs "map" $value) (kindIs "slice" $value)) | quote }}
{{- end }}
- name: CERTEX_SECRETS_DIR
  value: /etc/certex/secrets
{{- end -}}

{{/* Certificates of a role. (dict "root" $ "role" name) */}}
{{- define "certex.certificateMounts" -}}
{{- $role := .role }}
{{- range .root.Values.certificates }}
{{- if has $role (.roles | default (list $role)) }}
- name: {{ printf "certificates-%s" .name }}
  mountPath: /etc/certex/{{ .name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "certex.certificateVolumes" -}}
{{- $role := .role }}
{{- range .root.Values.certificates }}
{{- if has $role (.roles | default (list $role)) }}
- name: {{ printf "certificates-%s" .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end -}}
