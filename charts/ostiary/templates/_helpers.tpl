{{/* Names leave room for suffixes: a Service's may have 63 characters. */}}
{{- define "ostiary.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "ostiary.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "ostiary.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "ostiary.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of the cluster: releases of one name may be in several namespaces. */}}
{{- define "ostiary.clusterName" -}}
{{- printf "%s-%s" (include "ostiary.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "ostiary.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ostiary.fullname" .) }}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "ostiary.selector" -}}
app.kubernetes.io/name: {{ include "ostiary.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ostiary.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "ostiary.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
}}
{{- toYaml (mergeOverwrite (deepCopy .Values.commonLabels) $own) }}
{{- end }}

{{/* Labels of an object with labels of its own: dict "context" $ "labels" … */}}
{{- define "ostiary.labelsWith" -}}
{{- $common := include "ostiary.labels" .context | fromYaml }}
{{- toYaml (mergeOverwrite (deepCopy .labels) $common) }}
{{- end }}

{{- define "ostiary.crdMetadata" -}}
{{- $keep := ternary (dict "helm.sh/resource-policy" "keep") dict .Values.crds.keep }}
{{- with mergeOverwrite (deepCopy .Values.crds.annotations) $keep -}}
annotations: {{- toYaml . | nindent 2 }}
{{ end -}}
labels: {{- include "ostiary.labels" . | nindent 2 }}
{{- end }}

{{- define "ostiary.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "ostiary.isDeployment" -}}
{{- if eq .Values.kind "Deployment" }}true{{ end }}
{{- end }}

{{/* The most pods that there may be. Nobody knows of a DaemonSet; two stand for several. */}}
{{- define "ostiary.maxReplicas" -}}
{{- if not (include "ostiary.isDeployment" .) -}}
2
{{- else if .Values.autoscaling.enabled -}}
{{ .Values.autoscaling.maxReplicas }}
{{- else -}}
{{ max 1 .Values.replicas }}
{{- end }}
{{- end }}

{{- define "ostiary.isNamespaced" -}}
{{- if eq .Values.rbac.scope "namespaced" }}true{{ end }}
{{- end }}

{{/* The namespaces that are watched, as JSON; an empty list is all of them. */}}
{{- define "ostiary.watchNamespaces" -}}
{{- if .Values.watchNamespaces -}}
{{ .Values.watchNamespaces | uniq | toJson }}
{{- else if include "ostiary.isNamespaced" . -}}
{{ list .Release.Namespace | toJson }}
{{- else -}}
[]
{{- end }}
{{- end }}

{{- define "ostiary.makesIngressClass" -}}
{{- if kindIs "invalid" .Values.ingressClass.create -}}
{{- if not (include "ostiary.isNamespaced" .) }}true{{ end }}
{{- else if .Values.ingressClass.create -}}
true
{{- end }}
{{- end }}

{{/* namespace/name of the Service whose addresses Ingresses get, if any. */}}
{{- define "ostiary.publishedService" -}}
{{- if and .Values.publishService.enabled (not .Values.publishStatusAddress) (not .Values.publishNodeAddresses) -}}
{{- if .Values.publishService.name -}}
{{ .Values.publishService.name }}
{{- else if .Values.service.enabled -}}
{{ .Release.Namespace }}/{{ include "ostiary.fullname" . }}
{{- end }}
{{- end }}
{{- end }}

{{/* As Ostiary itself names it: by what tells one installation from another. */}}
{{- define "ostiary.electionId" -}}
{{- $parts := list "ostiary-leader" }}
{{- $controller := splitList "/" .Values.ingressClass.controller | last }}
{{- if ne $controller "ingress-controller" }}
{{- $parts = list (printf "ostiary-leader-%s" $controller) }}
{{- end }}
{{- if and (include "ostiary.isNamespaced" .) (ne .Values.ingressClass.name "ostiary") }}
{{- $parts = append $parts .Values.ingressClass.name }}
{{- end }}
{{- .Values.electionId | default (join "." $parts | trunc 63 | trimSuffix "-" | trimSuffix ".") }}
{{- end }}

{{- define "ostiary.httpsRedirectPort" -}}
{{- if .Values.httpsRedirectPort -}}
{{ .Values.httpsRedirectPort }}
{{- else if .Values.hostPort.enabled -}}
{{ .Values.hostPort.https }}
{{- else if .Values.hostNetwork -}}
{{ .Values.containerPorts.https }}
{{- else if .Values.service.enabled -}}
{{ .Values.service.https.port }}
{{- else -}}
443
{{- end }}
{{- end }}

{{- define "ostiary.hasDisruptionBudget" -}}
{{- if kindIs "invalid" .Values.podDisruptionBudget.enabled -}}
{{- $fewest := ternary .Values.autoscaling.minReplicas .Values.replicas .Values.autoscaling.enabled -}}
{{- if and (include "ostiary.isDeployment" .) (gt (int $fewest) 1) }}true{{ end }}
{{- else if .Values.podDisruptionBudget.enabled -}}
true
{{- end }}
{{- end }}

{{- define "ostiary.sessionKeySecret" -}}
{{ .Values.sessionKeySecret | default (printf "%s-session-keys" (include "ostiary.fullname" .)) }}
{{- end }}

{{/* Up to 15 s to hand the lead over, and 2 s for what does not end; the rest is for a busy machine. */}}
{{- define "ostiary.gracePeriodSeconds" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{ add .Values.shutdownDelaySeconds .Values.drainTimeoutSeconds 25 }}
{{- else -}}
{{ .Values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}

{{/* With the node's network its loopback address is not the pod's. */}}
{{- define "ostiary.hasDashboard" -}}
{{- if kindIs "invalid" .Values.dashboard.enabled }}{{ ternary "" "yes" .Values.hostNetwork }}{{ else if .Values.dashboard.enabled }}yes{{ end }}
{{- end }}

{{/* What the schema cannot say: one value against another. */}}
{{- define "ostiary.checkValues" -}}
{{- $most := include "ostiary.maxReplicas" . }}
{{- if and (not .Values.leaderElect) (ne $most "1") }}
{{- fail "leaderElect: false is for a single pod: with several, each would write status and Events" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (ne .Values.kind "Deployment") }}
{{- fail "autoscaling.enabled needs kind: Deployment: a DaemonSet has a pod on each node" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) }}
{{- fail "autoscaling.maxReplicas is below minReplicas" }}
{{- end }}
{{- $stops := add .Values.shutdownDelaySeconds .Values.drainTimeoutSeconds }}
{{- if lt (include "ostiary.gracePeriodSeconds" . | trim | int) (int $stops) }}
{{- fail (printf "terminationGracePeriodSeconds is below shutdownDelaySeconds and drainTimeoutSeconds together (%d): requests would be cut off before their time" $stops) }}
{{- end }}
{{- if and .Values.hostNetwork .Values.hostPort.enabled }}
{{- fail "hostPort.enabled and hostNetwork exclude each other: with hostNetwork, set containerPorts" }}
{{- end }}
{{- if ne (empty .Values.dashboard.host) (empty .Values.dashboard.plugin) }}
{{- fail "dashboard.host and dashboard.plugin need each other: without a plugin the dashboard would be open" }}
{{- end }}
{{- if and .Values.dashboard.host (not (include "ostiary.hasDashboard" .)) }}
{{- fail "dashboard.host needs dashboard.enabled: true; with hostNetwork that shows the dashboard to whoever runs on the node" }}
{{- end }}
{{- if and .Values.service.enabled (not .Values.service.http.enabled) (not .Values.service.https.enabled) }}
{{- fail "service has neither http nor https enabled: set service.enabled: false" }}
{{- end }}
{{- if and .Values.publishNodeAddresses (include "ostiary.isNamespaced" .) }}
{{- fail "publishNodeAddresses needs rbac.scope: cluster: nodes belong to no namespace" }}
{{- end }}
{{- $ports := .Values.containerPorts }}
{{- if ne 4 (len (uniq (list (int $ports.http) (int $ports.https) (int $ports.admin) (int .Values.dashboard.port)))) }}
{{- fail "containerPorts and dashboard.port must be different ports" }}
{{- end }}
{{- $watched := include "ostiary.watchNamespaces" . | fromJsonArray }}
{{- if $watched }}
{{- range $name := concat .Values.defaultPlugins (list .Values.defaultSslCertificate .Values.defaultBackendService .Values.dashboard.plugin | compact) }}
{{- $namespace := splitList "/" $name | first }}
{{- if not (has $namespace $watched) }}
{{- fail (printf "%s is in a namespace that is not watched: add %s to watchNamespaces" $name $namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
