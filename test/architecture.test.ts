import { readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

interface Rule {
  /** Folders and files of ours that may be imported; leaves always may. */
  readonly folders: readonly string[]
  readonly packages: readonly string[]
  /** Node built-ins; `*` is any. */
  readonly builtins: readonly string[]
}

const EVERYTHING: Rule = { folders: ['*'], packages: ['*'], builtins: ['*'] }

/** The table of CONTRIBUTING.md. */
const RULES: Readonly<Record<string, Rule>> = {
  leaves: { folders: [], packages: [], builtins: ['async_hooks', 'util'] },
  api: { folders: [], packages: ['zod', 're2js'], builtins: [] },
  table: { folders: [], packages: [], builtins: [] },
  compiler: { folders: ['api', 'table'], packages: ['yaml'], builtins: ['crypto', 'net'] },
  source: {
    folders: ['api'],
    packages: ['@kubernetes/client-node', 'undici', 'yaml', 'chokidar', 'pino'],
    builtins: ['*'],
  },
  reconciler: {
    folders: ['api', 'table', 'compiler', 'source/source.ts'],
    packages: ['pino'],
    builtins: ['util', 'timers'],
  },
  status: {
    folders: [
      'api',
      'table',
      'source/cluster/api-server.ts',
      'source/cluster/api-server-error.ts',
      'source/cluster/back-off.ts',
    ],
    packages: ['pino'],
    builtins: ['crypto', 'net'],
  },
  auth: {
    folders: ['table'],
    packages: ['jose', 'openid-client', 'undici', 'cookie', 'lru-cache', 'ioredis'],
    builtins: ['crypto', 'zlib', 'worker_threads', 'net', 'dns', 'buffer', 'tls', 'util', 'timers'],
  },
  proxy: {
    folders: ['table', 'auth', 'observability'],
    packages: [
      'fastify',
      'undici',
      'lru-cache',
      'pino',
      'prom-client',
      'rate-limiter-flexible',
      're2js',
      'selfsigned',
    ],
    builtins: ['*'],
  },
  observability: {
    folders: ['table'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      'pino',
      'prom-client',
      'pino-pretty',
    ],
    builtins: ['*'],
  },
  admin: {
    folders: ['observability', 'table', 'explain/explanation.ts', 'explain/question.ts'],
    packages: ['fastify', 'prom-client', '@fastify/reply-from', 'undici'],
    builtins: ['net', 'http', 'crypto', 'fs', 'module', 'async_hooks', 'stream'],
  },
  settings: { folders: [], packages: ['commander', 'zod'], builtins: ['os', 'process', 'util'] },
  doctor: { folders: ['auth', 'table'], packages: ['jose', 'undici'], builtins: ['crypto'] },
  explain: {
    folders: ['api', 'table', 'compiler', 'auth', 'proxy'],
    packages: ['jose'],
    builtins: ['crypto', 'net', 'url'],
  },
  commands: EVERYTHING,
  'main.ts': EVERYTHING,
  'cli.ts': EVERYTHING,
}

const ROOT = path.resolve(import.meta.dirname, '..')
const SOURCE = path.join(ROOT, 'src')
const BUILTINS = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))

function typeScriptFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const full = path.join(folder, name)
    if (statSync(full).isDirectory()) return typeScriptFiles(full)
    return name.endsWith('.ts') ? [full] : []
  })
}

function areaOf(file: string): string {
  const [first = '', ...rest] = path.relative(SOURCE, file).split(path.sep)
  if (rest.length > 0) return first
  return first in RULES ? first : 'leaves'
}

/** Every module specifier of a file; with verbatimModuleSyntax each is a plain string after `from` or `import`. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const statements = text.matchAll(/^(?:import '([^']+)'|(?:import|export) [\w$*\s{},]+? from '([^']+)')/gm)
  return [...statements].map((match) => match[1] ?? match[2]!)
}

function isAllowed(file: string, specifier: string): boolean {
  const rule = RULES[areaOf(file)]
  if (rule === undefined) return false
  if (BUILTINS.has(specifier)) {
    const name = specifier.replace(/^node:/, '').split('/')[0]!
    return rule.builtins.includes('*') || rule.builtins.includes(name)
  }
  if (specifier.startsWith('.')) {
    const target = path.resolve(path.dirname(file), specifier)
    const area = areaOf(target)
    if (area === areaOf(file) || area === 'leaves' || rule.folders.includes('*')) return true
    return rule.folders.includes(area) || rule.folders.includes(path.relative(SOURCE, target))
  }
  const name = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : specifier.split('/')[0]!
  return rule.packages.includes('*') || rule.packages.includes(name)
}

describe('import boundaries of CONTRIBUTING.md', () => {
  const files = typeScriptFiles(SOURCE)

  test('every folder of src has a row', () => {
    expect(files.map(areaOf).filter((area) => !(area in RULES))).toEqual([])
  })

  test('no file imports what its folder may not', () => {
    const offences = files.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !isAllowed(file, specifier))
        .map((specifier) => `${path.relative(ROOT, file)} imports ${specifier}`),
    )
    expect(offences).toEqual([])
  })

  test('process.exit is in main.ts only, and process.env in settings', () => {
    const offences = files.flatMap((file) => {
      const text = readFileSync(file, 'utf8')
      const name = path.relative(SOURCE, file)
      const exits = text.includes('process.exit(') && name !== 'main.ts' ? [`${name}: process.exit`] : []
      const reads =
        text.includes('process.env') && !name.startsWith('settings/') ? [`${name}: process.env`] : []
      return [...exits, ...reads]
    })
    expect(offences).toEqual([])
  })
})
