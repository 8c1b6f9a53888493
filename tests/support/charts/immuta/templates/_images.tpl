{{/*
One image reference.  Takes the root, a component and its tag:
  imageRepository, when it is not empty, is all but the tag;
  else the registry is the component's own, where even an empty one counts, then the one at the top,
  then the global one.
*/}}
{{- define "standin.image" -}}
{{- $image := .component.image | default dict -}}
{{- $registry := .root.Values.global.imageRegistry -}}
{{- if .root.Values.imageRegistry -}}
{{- $registry = .root.Values.imageRegistry -}}
{{- end -}}
{{- if not (kindIs "invalid" $image.registry) -}}
{{- $registry = $image.registry -}}
{{- end -}}
{{- $suffix := "" -}}
{{- if and .root.Values.imageType (hasSuffix "-db" $image.repository) -}}
{{- $suffix = printf "-%s" .root.Values.imageType -}}
{{- end -}}
{{- if .component.imageRepository -}}
{{- printf "%s:%s" .component.imageRepository .tag -}}
{{- else if $registry -}}
{{- printf "%s/%s:%s%s" $registry $image.repository .tag $suffix -}}
{{- else -}}
{{- printf "%s:%s%s" $image.repository .tag $suffix -}}
{{- end -}}
{{- end -}}

{{/* The first tag that says something: the component's old key, its own, the two at the top, the chart's. */}}
{{- define "standin.tag" -}}
{{- $image := .component.image | default dict -}}
{{- coalesce .component.imageTag $image.tag .root.Values.imageTag .root.Values.immutaVersion .root.Chart.AppVersion -}}
{{- end -}}

{{/* A component of the release's own version. */}}
{{- define "standin.versioned" -}}
{{- include "standin.image" (dict "root" .root "component" .component "tag" (include "standin.tag" .)) -}}
{{- end -}}

{{/* Two places for one component, as JSON: of both only image and imageRepository count, the older wins. */}}
{{- define "standin.merged" -}}
{{- $old := pick (.old | default dict) "image" "imageRepository" | deepCopy -}}
{{- $new := pick .new "image" "imageRepository" | deepCopy -}}
{{- merge $old $new | toJson -}}
{{- end -}}

{{/* Fails on a tag that is no version. */}}
{{- define "standin.semver" -}}
{{- $unused := semver (trimPrefix "v" .) -}}
{{- end -}}
