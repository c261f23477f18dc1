import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { noChromium } from '../../examples/chromium.ts'
import { fakeSource } from './fake-source.ts'
import { PAGES, startDashboard } from './support.ts'

const EXECUTABLE = process.env['OSTIARY_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const WIDTHS = [1280, 360] as const
const LOOKS = (['light', 'dark'] as const).flatMap((scheme) =>
  WIDTHS.map((width) => [scheme, width] as const),
)

interface Opened {
  readonly page: Page
  /** What the browser complained of: errors of scripts, and what the policy forbade. */
  readonly complaints: string[]
}

describe.skipIf(noChromium)('in a real browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(() => browser.close())

  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<Opened> {
    const context = await browser.newContext(options)
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => complaints.push(dialog.message()))
    return { page, complaints }
  }

  test.each(LOOKS)(
    'every page in %s at %i px fits, runs clean and is accessible',
    async (colorScheme, width) => {
      const url = await startDashboard()
      const { complaints, page } = await open({ colorScheme, viewport: { width, height: 800 } })
      for (const path of PAGES) {
        await page.goto(`${url}${path}`)
        const scrollWidth = await page.evaluate('document.documentElement.scrollWidth')
        expect([path, scrollWidth]).toEqual([path, width])
        await page.evaluate(AXE)
        const violations = await page.evaluate(
          'axe.run().then(({ violations }) => violations.flatMap((each) => each.nodes.map((node) => each.id + " " + node.html.slice(0, 120))))',
        )
        expect([path, violations]).toEqual([path, []])
      }
      expect(complaints).toEqual([])
    },
    120_000,
  )

  test('charts are drawn, in other colours when the scheme changes', async () => {
    const { page } = await open({ colorScheme: 'light' })
    await page.goto(await startDashboard())
    await page.getByText('Live', { exact: true }).waitFor()
    const colours = `[...document.querySelectorAll('.uplot canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      const seen = new Set()
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) seen.add(data.slice(at, at + 3).join())
      return [...seen]
    })`
    const light = await page.evaluate<string[][]>(colours)
    expect(light.map((seen) => seen.includes('0,114,178'))).toEqual([true, true, true, true])
    expect(light[1]).toContain('184,110,0')
    await page.emulateMedia({ colorScheme: 'dark' })
    const hasDarkBlue = async (): Promise<boolean> =>
      (await page.evaluate<string[][]>(colours)).every((seen) => seen.includes('86,180,233'))
    await expect.poll(hasDarkBlue, { timeout: 10_000 }).toBe(true)
  })

  test('charts stay live, say that the connection is lost, and can be paused', async () => {
    let requests = 7
    const traffic = () => ({
      intervalMs: 1000,
      samples: fakeSource()
        .traffic()
        .samples.map((sample) => ({ ...sample, requestsPerSecond: requests })),
    })
    const { page } = await open()
    await page.goto(await startDashboard({ source: fakeSource({ traffic }) }))
    const newest = page.locator('b[data-series=requests]')
    await expect.poll(() => newest.textContent(), { timeout: 10_000 }).toBe('7')
    requests = 8
    await expect.poll(() => newest.textContent(), { timeout: 10_000 }).toBe('8')
    await expect.poll(() => page.locator('#numbers td').nth(1).innerText()).toBe('8')
    await page.context().setOffline(true)
    await page.getByText('Connection lost').waitFor()
    await page.context().setOffline(false)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused').waitFor()
    expect(await page.getByRole('button', { name: 'Pause' }).getAttribute('aria-pressed')).toBe('true')
  })

  test('the keyboard gets everywhere: skip link, menu, search by "/", and no key is taken from a field', async () => {
    const { page } = await open()
    const url = await startDashboard()
    await page.goto(`${url}/plugins`)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('/')
    await page.waitForURL(`${url}/routes#search`)
    expect(await page.evaluate('document.activeElement.id')).toBe('search')
    await page.keyboard.type('app-77/')
    await page.keyboard.press('Enter')
    await page.waitForURL(/search=app-77%2F/)
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement.id')).toBe('search')
    for (let presses = 0; presses < 4; presses += 1) await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('app-77.apps')
    await page.keyboard.press('Enter')
    await page.waitForURL(/route\?id=shop%2Fapp-77%2F0%2F0/)
  })

  test('without script: numbers, search, paging and an explanation', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    const url = await startDashboard()
    await page.goto(url)
    expect(await page.getByRole('table', { name: 'Traffic in numbers' }).isVisible()).toBe(true)
    expect(await page.getByRole('button', { name: 'Pause' }).isVisible()).toBe(false)
    await page.goto(`${url}/routes`)
    await page.getByLabel('State').selectOption('closed')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1–100 of 3,333').first().waitFor()
    await page.getByRole('link', { name: 'Next' }).first().click()
    await page.getByText('101–200 of 3,333').first().waitFor()
    await page.goto(`${url}/explain`)
    await page.getByLabel('URL').fill('https://app-0.apps.example.com/a')
    await page.getByLabel('Header fields').fill('Authorization: Bearer x')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('answered 401').waitFor()
    expect(page.url()).toBe(`${url}/explain`)
  })

  test('"Send this request" is sent by our own page', async () => {
    const { complaints, page } = await open()
    await page.goto(`${await startDashboard()}/explain`)
    await page.getByLabel('URL').fill('http://app-0.apps.example.com/a')
    await page.getByRole('button', { name: 'Send this request' }).click()
    await page.getByText('This process has no listener for http.').waitFor()
    expect(complaints).toEqual([])
  })
})
