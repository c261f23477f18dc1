import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requirement } from '../support/requirements.ts'

const DEMO = fileURLToPath(new URL('../../deploy/demo/demo.ts', import.meta.url))
const CHROMIUM = process.env['OSTIARY_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const PORTS = ['http', 'https', 'admin', 'dashboard', 'authorization-server', 'echo']
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const noChromium = requirement(
  'Chromium',
  existsSync(CHROMIUM),
  `install it, or name it by OSTIARY_TEST_CHROMIUM; looked at ${CHROMIUM}`,
)

const noCurl = requirement(
  'bash with curl',
  spawnSync('bash', ['-c', 'curl --version']).status === 0,
  'install both to run the lines that the demo prints',
)

/** The demo as a person starts it, on ports of its own. */
class Demo {
  readonly #child: ChildProcess
  readonly #ready = Promise.withResolvers<void>()
  readonly exited: Promise<number | null>
  printed = ''

  constructor() {
    const args = [DEMO, '--workers', '1', ...PORTS.flatMap((name) => [`--${name}-port`, '0'])]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const take = (chunk: Buffer): void => {
      this.printed += chunk.toString()
      if (this.printed.includes('Ctrl-C stops everything.')) this.#ready.resolve()
    }
    this.#child.stdout?.on('data', take)
    this.#child.stderr?.on('data', take)
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve))
  }

  async ready(): Promise<void> {
    void this.exited.then(() => this.#ready.reject(new Error(`the demo ended:\n${this.printed}`)))
    await this.#ready.promise
  }

  /** The first address in what was printed that begins like this. */
  address(pattern: RegExp): string {
    const found = pattern.exec(this.printed)?.[1]
    if (found === undefined) throw new Error(`${pattern.source} is not in:\n${this.printed}`)
    return found
  }

  get commands(): readonly string[] {
    return [...this.printed.matchAll(/^ {4}((?:curl|TOKEN=).*)$/gm)].map((match) => match[1] ?? '')
  }

  async stop(): Promise<number | null> {
    this.#child.kill('SIGINT')
    return this.exited
  }
}

interface Output {
  readonly status: number
  readonly text: string
}

/** Runs the commands in one shell, as a person would paste them, and takes the answers of curl apart. */
async function paste(commands: readonly string[]): Promise<readonly Output[]> {
  const script = commands.map((command) =>
    command.startsWith('TOKEN=') ? command : `${command}; echo; echo @@@`,
  )
  const { stdout } = await promisify(execFile)('bash', ['-c', script.join('\n')])
  return stdout
    .split('@@@\n')
    .slice(0, -1)
    .map((text) => ({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text }))
}

describe('the demo', () => {
  let demo: Demo
  let url: string

  beforeAll(async () => {
    demo = new Demo()
    await demo.ready()
    url = demo.address(/Ostiary runs on (http:\/\/localhost:\d+)/)
  }, 60_000)

  afterAll(async () => {
    await demo.stop()
  })

  test.skipIf(noCurl)('each printed curl line does what it says', async () => {
    const [open, credentials, bearer, introspection, revocation, revoked, login, ...rest] = await paste(
      demo.commands,
    )
    expect(rest).toEqual([])
    expect(open?.status).toBe(200)
    expect(open?.text).toContain('"path": "/public"')
    expect(credentials?.status).toBe(200)
    expect(credentials?.text).toMatch(/"Authorization": \[\s+"Bearer ey/)
    expect(credentials?.text).toMatch(/"Issuer-Header": \[\s+"http:\/\/localhost:\d+\/oauth2\/default"/)
    expect(credentials?.text).not.toContain('Basic')
    expect(bearer?.status).toBe(200)
    expect(introspection?.status).toBe(200)
    expect(introspection?.text).toMatch(/"X-Consumer-Username": \[\s+"orders-service"/)
    expect(revocation?.status).toBe(200)
    expect(revoked?.status).toBe(401)
    expect(login?.status).toBe(401)
  })

  test('a wrong secret, and none, is 401', async () => {
    const wrong = await fetch(`${url}/orders`, {
      headers: { Authorization: `Basic ${btoa('orders-service:wrong')}` },
    })
    expect(wrong.status).toBe(401)
    expect((await fetch(`${url}/orders`)).status).toBe(401)
  })

  test('answers in IPv4 and IPv6', async () => {
    const { port } = new URL(url)
    for (const host of ['127.0.0.1', '[::1]']) {
      expect((await fetch(`http://${host}:${port}/public`)).status).toBe(200)
    }
  })

  describe.skipIf(noChromium)('in a browser', () => {
    let browser: Browser

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS })
    })

    afterAll(() => browser.close())

    test('login returns to the page that was asked for, and the session carries on', async () => {
      const page = await browser.newPage()
      const asked = `${url}/app/orders?month=11&q=a%20b`
      await page.goto(asked)
      expect(page.url()).toContain('/oauth2/default/signin/')
      await page.getByLabel('User name').fill('alice@example.com')
      await page.getByLabel('Password').fill('anything')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL(asked)
      const text = await page.locator('body').innerText()
      expect(text).toMatch(/"X-User-Name": \[\s+"Alice Archer"/)
      expect(text).toMatch(/"Authorization": \[\s+"Bearer ey/)
      const again = await page.goto(`${url}/app/other`)
      expect(again?.request().redirectedFrom()).toBeNull()
      expect(await page.locator('body').innerText()).toContain('"path": "/app/other"')
    })

    test('its dashboard shows what happened, explains a request, and sends it', async () => {
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
      const dashboard = demo.address(/Its dashboard is (http:\/\/localhost:\d+)/)
      await fetch(`${url}/orders`)
      await page.goto(`${dashboard}/plugin?id=default%2Forders`)
      expect(await page.locator('main').innerText()).toContain('no_credential')
      await page.goto(`${dashboard}/explain`)
      await page.getByLabel('URL').fill(`${url}/orders`)
      await page.getByRole('button', { name: 'Explain' }).click()
      expect(await page.locator('main').innerText()).toContain('guarded by default/orders')
      const secret = btoa('orders-service:orders-secret')
      await page.getByLabel('Header fields').fill(`Authorization: Basic ${secret}`)
      await page.getByRole('button', { name: 'Send this request' }).click()
      const exchange = await page.locator('#exchange').innerText()
      expect(exchange).toContain('200 OK')
      expect(exchange).toContain('"path": "/orders"')
      expect(exchange).not.toContain(secret)
      expect(complaints).toEqual([])
    })
  })

  test('an edited manifest is live', async () => {
    const directory = demo.address(/edit a file in (\S+)/)
    const file = join(directory, 'upstream.yaml')
    const before = await readFile(file, 'utf8')
    const status = async () => (await fetch(`${url}/public`)).status
    await writeFile(file, before.replace('ready: true', 'ready: false'))
    await expect.poll(status, { timeout: 10_000 }).toBe(503)
    await writeFile(file, before)
    await expect.poll(status, { timeout: 10_000 }).toBe(200)
  })

  test('an interrupt stops everything and leaves nothing behind', async () => {
    const directory = demo.address(/edit a file in (\S+)/)
    const server = demo.address(/authorization server is (http:\/\/localhost:\d+)/)
    expect(await demo.stop()).toBe(0)
    for (const address of [`${url}/public`, server]) await expect(fetch(address)).rejects.toThrow()
    expect(existsSync(directory)).toBe(false)
  })
})
