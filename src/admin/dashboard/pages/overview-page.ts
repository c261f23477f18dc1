import type { Assets } from '../assets.ts'
import type { CertificateSummary, Overview, TrafficHistory } from '../dashboard-model.ts'
import { html, type Html, type HtmlPart } from '../html.ts'
import { badge, type Tone } from './badge.ts'
import { validity } from './certificates-page.ts'
import type { PageFrame } from './layout.ts'
import { section } from './table.ts'
import { charts, trafficTable } from './traffic-charts.ts'
import { count, counted, figure, moment, relativeMoment } from './words.ts'

const PHASES: Readonly<Record<Overview['phase'], Tone>> = {
  starting: 'warn',
  ready: 'good',
  stopping: 'warn',
}

/** How the process is, and what passed through it lately. Parts that are `data-live` are asked for again by script. */
export function overviewPage(
  overview: Overview,
  traffic: TrafficHistory,
  { assets, nowMs }: { readonly assets: Assets; readonly nowMs: number },
): PageFrame {
  return {
    title: 'Overview',
    section: '/',
    head: html`<link rel="stylesheet" href="${assets.pathOf('uPlot.min.css')}" />
      <script defer src="${assets.pathOf('uPlot.iife.min.js')}"></script>
      <script type="module" src="${assets.pathOf('live.js')}"></script>`,
    main: html`<div id="state" data-live>${processState(overview, nowMs)} ${tiles(overview, nowMs)}</div>
      ${section(
        'Traffic',
        html`${charts(traffic)}
          <div id="numbers" data-live>${trafficTable(traffic)}</div>`,
      )}`,
  }
}

function processState(overview: Overview, nowMs: number): Html {
  const { isLeader, notReady, phase, startedAtMs, version } = overview
  const readiness = notReady === undefined ? badge(PHASES[phase], phase) : badge('bad', 'not ready')
  return html`<p class="lead">
      ${readiness}${isLeader === undefined ? undefined : html` ${badge('quiet', isLeader ? 'leader' : 'not the leader')}`}
      <span>Version ${version}, started ${moment(startedAtMs, nowMs)}</span>
    </p>
    ${notReady === undefined ? undefined : html`<p class="notice bad" role="alert">${notReady}</p>`}`
}

function tiles(overview: Overview, nowMs: number): Html {
  const { consumers, diagnostics, nextCertificate, plugins, routes, virtualHosts } = overview
  return html`<ul class="tiles">
    ${tile('/routes', 'Routes', routes.open + routes.guarded + routes.closed, [
      badge('good', `${count(routes.guarded)} guarded`),
      badge('quiet', `${count(routes.open)} open`),
      routes.closed > 0 && badge('bad', `${count(routes.closed)} closed`),
      html`<span class="quiet">on ${counted(virtualHosts, 'host')}</span>`,
    ])}
    ${tile('/plugins', 'Plugins', plugins.accepted + plugins.refused, [
      badge('good', `${count(plugins.accepted)} accepted`),
      plugins.refused > 0 && badge('bad', `${count(plugins.refused)} refused`),
    ])}
    ${tile('/diagnostics', 'Diagnostics', diagnostics.error + diagnostics.warning + diagnostics.info, [
      diagnostics.error > 0 && badge('bad', counted(diagnostics.error, 'error')),
      diagnostics.warning > 0 && badge('warn', counted(diagnostics.warning, 'warning')),
      diagnostics.info > 0 && badge('quiet', `${count(diagnostics.info)} info`),
    ])}
    ${tile('/consumers', 'Consumers', consumers, [])} ${configurationTile(overview, nowMs)}
    ${nextCertificate && certificateTile(nextCertificate, nowMs)}
  </ul>`
}

function tile(path: string, name: string, number: number, parts: readonly (Html | false)[]): Html {
  return html`<li class="tile">
    <h2><a href="${path}">${name}</a></h2>
    <p class="big">${count(number)}</p>
    <p class="badges">${parts.filter((part) => part !== false)}</p>
  </li>`
}

function configurationTile({ configuration, threads }: Overview, nowMs: number): Html {
  const { lastDurationMs, lastOutcome, reloadedAtMs, snapshotVersion } = configuration
  const stuck = threads.filter(({ isStuck }) => isStuck)
  const behind = threads.filter((thread) => thread.snapshotVersion !== snapshotVersion)
  return html`<li class="tile">
    <h2>Configuration</h2>
    <p class="big">${`v${snapshotVersion}`}</p>
    <p class="badges">
      ${lastOutcome && badge(lastOutcome === 'failed' ? 'bad' : 'good', lastOutcome)}
      ${stuck.map(({ name }) => badge('bad', `${name} is stuck`))}
      ${behind.length > 0 ? badge('warn', `${count(behind.length)} of ${counted(threads.length, 'thread')} behind`) : badge('good', counted(threads.length, 'thread'))}
    </p>
    <p class="quiet">${reloadText(reloadedAtMs, lastDurationMs, nowMs)}</p>
  </li>`
}

function reloadText(
  reloadedAtMs: number | undefined,
  durationMs: number | undefined,
  nowMs: number,
): HtmlPart {
  if (reloadedAtMs === undefined) return 'Nothing was compiled yet'
  const took = durationMs === undefined ? '' : `, in ${figure(durationMs)} ms`
  return html`Reloaded ${relativeMoment(reloadedAtMs, nowMs)}${took}`
}

function certificateTile(certificate: CertificateSummary, nowMs: number): Html {
  return html`<li class="tile">
    <h2><a href="/certificates">Next certificate to end</a></h2>
    <p>${certificate.id}</p>
    <p class="badges">${validity(certificate, nowMs)}</p>
    <p class="quiet">${new Date(certificate.notAfterMs).toISOString().slice(0, 10)}</p>
  </li>`
}
