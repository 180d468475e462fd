// What a person does with the dashboard, with real clicks: opens it with the token, sees that all
// sites agree, browses and edits, has a site go away, decides a conflict, invites a third site,
// retires it. On the way axe looks at every page in both colour schemes, and pictures are taken.
//
//   node browser.mjs PATH_OF_INOS WORK_FOLDER PATH_OF_CHROMIUM FOLDER

import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import assert from 'node:assert/strict';
import {Site, endAll, until} from './site.mjs';

const [program, work, browserPath, folder] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const {chromium} = require('playwright-core');
const jsqr = require('jsqr');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const pictures = `${folder}/pictures`;
mkdirSync(pictures, {recursive: true});

const kSchemes = ['light', 'dark'];
const kSizes = {phone: {width: 390, height: 844}, desktop: {width: 1280, height: 860}};
const kPatience = 30000;

const say = (text) => console.log(`-- ${text}`);

const shop = new Site(program, work, 'shop');
const office = new Site(program, work, 'office');
const warehouse = new Site(program, work, 'warehouse');

const kSchema = `
[customers]
identity = ["email"]
[customers.fields]
name    = { type = "register", required = true }
email   = { type = "register", format = "email" }
city    = { type = "register" }
state   = { type = "register", enum = ["new", "regular", "gone"] }
points  = { type = "counter" }
tags    = { type = "set" }
vip     = { type = "flag", wins = "enable" }
visits  = { type = "list" }
memo    = { type = "text" }
contact = { type = "map" }
[products.fields]
name  = { type = "register" }
price = { type = "register" }
stock = { type = "bounded-counter", min = 0 }
`;

const kNames = [['Zoë Ångström', 'Malmö'], ['Ada Brandt', 'Kiel'], ['Jonas Petersen', 'Flensburg'],
                ['Mette Holm', 'Sønderborg'], ['Karl Friis', 'Husum'], ['Ines Voss', 'Lübeck'],
                ['Per Lindqvist', 'Lund'], ['Hanna Thomsen', 'Kiel']];

async function prepare() {
    const {writeFileSync} = await import('node:fs');
    await shop.inos('init', '--site', 'shop');
    await shop.start();
    writeFileSync(`${work}/schema.toml`, kSchema);
    await shop.inos('schema', 'apply', `${work}/schema.toml`);
    const lines = kNames.map(([name, city], i) => JSON.stringify({
        id: `c-${i + 1}`, name, city, email: `${name.split(' ')[0].toLowerCase()}@example.org`
            .normalize('NFD').replace(/[^a-z@.]/g, ''),
        points: 40 * i, state: i % 3 ? 'regular' : 'new', tags: i % 2 ? ['wholesale'] : [],
        vip: i === 0, visits: ['January', 'March'], memo: 'Likes oak.',
        contact: {phone: `+49 431 ${i}`, city}}));
    lines.push(JSON.stringify({id: 'c-99', name: '<img src=x onerror="window.pwned=1">',
                               city: '"><script>window.pwned=1</script>'}));
    writeFileSync(`${work}/customers.jsonl`, `${lines.join('\n')}\n`);
    await shop.inos('import', 'customers', `${work}/customers.jsonl`);
    await shop.inos('put', 'products', 'p-1', '{"name":"Oak board","price":12.5,"stock":100}');
    await join(office, await shop.inos('invite'));
}

async function join(site, code) {
    const {execFile} = await import('node:child_process');
    const {promisify} = await import('node:util');
    await promisify(execFile)(program, ['join', code, '--data', site.dir, '--site', site.name],
                              {timeout: 60000});
    await site.start();
}

// ---- the page ----------------------------------------------------------------------------------

let page, context;
const problems = [];  // what the browser's console complains of
const requests = [];

async function openBrowser() {
    const browser = await chromium.launch({executablePath: browserPath,
                                           args: ['--no-sandbox', '--disable-dev-shm-usage']});
    context = await browser.newContext({viewport: kSizes.desktop, colorScheme: 'light',
                                        locale: 'en-GB', reducedMotion: 'reduce'});
    page = await context.newPage();
    page.setDefaultTimeout(kPatience);
    page.on('console', (message) => {
        // A browser reports every answer of 400 and more; those are looked at by their words.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
            problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(`${error.stack}`));
    page.on('request', (request) => requests.push(request.url()));
    return browser;
}

const heading = (name) => page.getByRole('heading', {name, level: 1}).waitFor();
const go = (hash) => page.evaluate((to) => {
    location.hash = to;
}, hash);
const press = (name, root = page) => root.getByRole('button', {name, exact: true}).click();
const follow = (name) => page.getByRole('link', {name, exact: true}).first().click();
const toast = (text) => page.locator('.toast', {hasText: text}).first().waitFor();

async function looksRight(name) {
    for (const scheme of kSchemes) {
        await page.emulateMedia({colorScheme: scheme, reducedMotion: 'reduce'});
        for (const [size, viewport] of Object.entries(kSizes)) {
            await page.setViewportSize(viewport);
            await page.waitForTimeout(150);  // until it is drawn at that size
            await page.screenshot({path: `${pictures}/${name}-${size}-${scheme}.png`,
                                   fullPage: size === 'desktop'});
            const wide = await page.evaluate(() =>
                document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(wide, 0, `${name} is wider than a ${size}`);
            await page.evaluate(axe);
            const {violations} = await page.evaluate(() => window.axe.run(document, {
                runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
                          'best-practice']}));
            const told = violations.map((one) => `${one.id}: ${one.help}\n   ` +
                one.nodes.map((node) => node.failureSummary + ' ' + node.html).join('\n   '));
            assert.equal(told.length, 0, `${name}, ${size}, ${scheme}:\n${told.join('\n')}`);
        }
    }
    await page.setViewportSize(kSizes.desktop);
    await page.emulateMedia({colorScheme: 'light', reducedMotion: 'reduce'});
}

// ---- the steps ---------------------------------------------------------------------------------

async function unlocks() {
    say('a wrong key is refused, the right one opens the page');
    await page.goto(`${shop.base}/`);
    await heading('Welcome');
    await looksRight('unlock');
    await page.getByLabel('Key').fill('wrong');
    await press('Open');
    await page.getByText('That key does not open this site').waitFor();
    await page.getByLabel('Key').fill(shop.token);
    await page.keyboard.press('Enter');
    await heading('All sites agree');
    assert.equal(await page.evaluate(() => localStorage.length), 0, 'nothing is kept unasked');
    await press('Lock this page');
    await heading('Welcome');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    const address = await shop.inos('dashboard');
    await page.goto(address);
    await heading('All sites agree');
    assert.ok(!page.url().includes('token'), `the token is still in ${page.url()}`);
    const first = await page.evaluate(() => performance.getEntriesByType('resource')
        .filter((one) => one.renderBlockingStatus === 'blocking').map((one) => one.name));
    assert.deepEqual(first, [`${shop.base}/dashboard/style.css`], 'what the first paint waits for');
}

async function overviewTells() {
    say('the overview shows both sites');
    await page.getByRole('img', {name: 'Map of 2 sites'}).waitFor();
    await page.getByRole('row', {name: /office.*up to date.*same as here/}).waitFor();
    await page.getByText('There is only one administrator').waitFor();
    await page.locator('.plot').first().waitFor();
    await looksRight('overview');
}

async function browses() {
    say('records are browsed and searched');
    await follow('Records');
    await heading('Records');
    await page.getByRole('link', {name: /products/}).waitFor();
    await looksRight('collections');
    await page.getByRole('link', {name: /customers/}).click();
    await heading('customers');
    await page.getByRole('row', {name: /c-99/}).waitFor();
    await looksRight('records');
    await page.getByLabel('Field to look in').selectOption('city');
    await page.getByLabel('What to look for').fill('Ki');
    await press('Search');
    await page.getByText('2 records found').waitFor();
    await page.getByText('Search with a condition').click();
    await page.getByLabel('Condition').fill('city == "Kiel"');
    await press('Search');
    await page.getByRole('alert').filter({hasText: /\S/}).first().waitFor();
    await page.getByLabel('Condition').fill('points >= 240');
    await press('Search');
    await page.getByText('2 records found').waitFor();
    await page.getByLabel('Condition').fill('points > 9999');
    await press('Search');
    await page.getByRole('heading', {name: 'Nothing found'}).waitFor();
    await go('#/records/customers/c-99');
    await heading('c-99');
    await page.getByText('<img src=x onerror="window.pwned=1">').waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined, 'a record ran as a script');
}

async function edits() {
    say('a record is edited by typed fields');
    await go('#/records/customers/c-1');
    await heading('c-1');
    await page.getByText('Zoë Ångström').waitFor();
    await looksRight('record');
    await press('Edit');
    await looksRight('edit');
    const form = page.getByRole('form', {name: 'Edit the record'});
    await form.getByLabel('city', {exact: true}).first().fill('Lund');
    await form.getByLabel('points', {exact: true}).fill('15');
    await page.getByText('0 becomes 15').waitFor();
    await form.getByLabel('tags', {exact: true}).fill('oak');
    await page.keyboard.press('Enter');
    await form.getByLabel('vip', {exact: true}).uncheck();
    await form.getByLabel('state', {exact: true}).selectOption('regular');
    await form.getByLabel('memo', {exact: true}).fill('Likes white oak. Calls on Mondays.');
    await form.getByRole('button', {name: 'Move down'}).first().click();
    await press('Add an entry', form);
    await page.keyboard.type('April');
    await press('Save', form);
    await toast('Saved');
    const wanted = {name: 'Zoë Ångström', city: 'Lund', points: 15, tags: ['oak'], vip: false,
                    state: 'regular', memo: 'Likes white oak. Calls on Mondays.',
                    visits: ['March', 'January', 'April']};
    const holds = async (site) => {
        const fields = await site.fields('customers', 'c-1');
        return Object.entries(wanted).every(([name, value]) =>
            JSON.stringify(fields[name]) === JSON.stringify(value));
    };
    await until(20, `edit at the shop; there is ${JSON.stringify(
        await shop.fields('customers', 'c-1'))}`, () => holds(shop));
    await until(20, 'edit at the office', () => holds(office));

    say('a mistake is told where it was made; nothing is saved');
    await press('Edit');
    await form.getByLabel('email', {exact: true}).fill('nobody@');
    await page.evaluate(() => document.querySelector('form').noValidate = true);
    await press('Save', form);
    await page.getByRole('alert').filter({hasText: 'email'}).waitFor();
    await press('Cancel', form);

    say('history and the reasons are told');
    await follow('History');
    await page.getByText('Changed', {exact: true}).first().waitFor();
    await page.getByText('Created', {exact: true}).first().waitFor();
    await looksRight('history');
    await follow('Why');
    await page.getByText('What it is made of').first().waitFor();
    await looksRight('why');

    say('somebody else’s edit is seen at once, and not written over');
    await follow('Record');
    await office.inos('patch', 'customers', 'c-1', '{"city":"Ystad"}');
    await page.getByText('Ystad').first().waitFor();
    await press('Edit');
    await form.getByLabel('city', {exact: true}).first().fill('Trelleborg');
    await shop.inos('patch', 'customers', 'c-1', '{"city":"Kalmar"}');
    await press('Save', form);
    await page.getByText('Somebody else changed this record').waitFor();
    await press('Load what it is now');
    await page.getByText('Kalmar').first().waitFor();
}

async function createsAndDeletes() {
    say('a record is created, found to exist, and deleted');
    await go('#/new/customers');
    await heading('New record');
    await looksRight('new');
    for (let round = 0; round < 2; ++round) {
        await go('#/');
        await go('#/new/customers');
        await page.getByLabel('name *').waitFor();
        await page.getByLabel(/^Id/).fill('c 100/é');
        await page.getByLabel('name *').fill('Nils');
        await press('Create record');
        if (round === 0) await heading('c 100/é');
        else await page.getByText('is a record “c 100/é”').waitFor();
    }
    assert.equal((await shop.fields('customers', 'c 100/é')).name, 'Nils');
    await go('#/records/customers/c%20100%2F%C3%A9');
    await press('Delete…');
    await page.getByRole('dialog').waitFor();
    await looksRight('delete');
    await press('Delete', page.getByRole('dialog'));
    await heading('customers');
    await page.getByText('9 records').first().waitFor();
}

async function decides() {
    say('a stopped node is shown as away');
    await office.stop();
    await go('#/');
    await heading('office is away');
    await looksRight('away');
    say('both sites change the same field; the conflict is decided with one click');
    await shop.inos('patch', 'customers', 'c-2', '{"city":"Eckernförde"}');
    await office.inos('patch', 'customers', 'c-2', '{"city":"Rendsburg"}');
    await office.start();
    await heading('All sites agree');
    await page.getByRole('link', {name: /To decide.*1.*waiting/}).click();
    await heading('To decide');
    await page.getByText('Eckernförde').waitFor();
    await looksRight('decide');
    await page.getByRole('button', {name: /(Take|Keep) this one: Eckernförde, by shop/}).click();
    await toast('Decided: Eckernförde');
    await page.getByRole('heading', {name: 'Nothing to decide'}).waitFor();
    await until(20, 'decision at the office', async () =>
        (await office.fields('customers', 'c-2')).city === 'Eckernförde' &&
        (await office.inos('conflicts', '--json')) === '');

    say('records that look alike are found and merged');
    await shop.inos('put', 'customers', 'c-200', '{"name":"Ada B.","email":"ada@example.org"}');
    await press('Look for them');
    await page.getByText('Which one stays?').waitFor();
    await looksRight('duplicates');
    await press('Make them one…');
    await press('Make them one', page.getByRole('dialog'));
    await page.getByText('is another name for').waitFor();
    assert.equal(JSON.parse(await shop.inos('get', 'customers', 'c-200', '--json')).id, 'c-2');
}

// The code's picture, read as a phone would.
async function readQr() {
    const {width, rows} = await page.locator('.qr-image').evaluate((svg) => {
        const side = svg.viewBox.baseVal.width;
        const dark = [...svg.querySelector('path').getAttribute('d')
            .matchAll(/M(\d+) (\d+)h1/g)].map((one) => [Number(one[1]), Number(one[2])]);
        return {width: side, rows: dark};
    });
    const scale = 4, side = width * scale;
    const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
    for (const [x, y] of rows)
        for (let i = 0; i < scale * scale; ++i) {
            const at = ((y * scale + Math.floor(i / scale)) * side + x * scale + i % scale) * 4;
            pixels.fill(0, at, at + 3);
        }
    return jsqr(pixels, side, side)?.data;
}

async function invites() {
    say('a third site is invited and joins');
    await follow('Sites');
    await heading('Sites');
    await page.getByRole('row', {name: /office/}).waitFor();
    await looksRight('sites');
    await press('Invite a site');
    await page.getByRole('dialog', {name: 'Invite a site'}).waitFor();
    await looksRight('invite');
    await press('Make a code');
    const code = await page.locator('#invite-code').textContent();
    assert.match(code, /^inos1-/);
    await looksRight('code');
    assert.equal(await readQr(), code, 'what the QR code says');
    await press('Done');
    await page.getByRole('heading', {name: 'Open invitations'}).waitFor();
    await join(warehouse, code);
    await page.getByRole('row', {name: /warehouse.*Writes.*everything/}).waitFor();
    await go('#/');
    await page.getByRole('img', {name: 'Map of 3 sites'}).waitFor();
    await heading('All sites agree');
    await looksRight('three');
}

async function checks() {
    say('all sites are compared, and repaired');
    await follow('Check');
    await press('Check all sites now');
    await page.getByText('All 3 sites hold exactly the same').waitFor();
    await looksRight('check');
    await press('Check and repair…');
    await press('Check and repair', page.getByRole('dialog'));
    await page.getByText('nothing is damaged').waitFor();
}

async function retires() {
    say('roles are changed; a site is retired after its name was typed');
    await follow('Sites');
    await page.getByRole('button', {name: 'Change… what office may do'}).click();
    await page.getByLabel('Role').selectOption('admin');
    await press('Change it');
    await page.getByRole('row', {name: /office.*Administrator/}).waitFor();
    await page.getByRole('button', {name: 'Retire… warehouse'}).click();
    const dialog = page.getByRole('dialog');
    assert.ok(await dialog.getByRole('button', {name: 'Retire it'}).isDisabled());
    await looksRight('retire');
    await dialog.getByLabel('Type warehouse to confirm').fill('warehouse');
    await press('Retire it', dialog);
    await page.getByRole('heading', {name: 'No longer members'}).waitFor();
    assert.match(await office.inos('members', '--json'), /"state":"retired"/);
    await warehouse.stop();
    await go('#/');
    await heading('All sites agree');
}

async function survives() {
    say('the page says when its own node is gone, and goes on when it is back');
    await shop.stop();
    await heading('This site’s node does not answer');
    await looksRight('gone');
    await shop.start();
    await heading('All sites agree');
}

const browser = await openBrowser();
try {
    await prepare();
    for (const step of [unlocks, overviewTells, browses, edits, createsAndDeletes, decides, invites,
                        checks, retires, survives]) await step();
    assert.deepEqual(problems, [], 'the browser complains');
    const foreign = requests.filter((url) => !url.startsWith(`${shop.base}/`));
    assert.deepEqual(foreign, [], 'something was asked of somebody else');
    say(`pictures are in ${pictures}`);
} catch (error) {
    await page.screenshot({path: `${pictures}/failed.png`, fullPage: true}).catch(() => {});
    console.error(`FAILED: ${error.stack}\nconsole: ${problems.join('\n')}\nsee ${pictures}/failed.png`);
    console.error((await page.locator('main').innerText().catch(() => '')).slice(0, 2000));
    process.exitCode = 1;
} finally {
    await browser.close();
    await endAll();
}
