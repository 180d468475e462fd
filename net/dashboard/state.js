// What the page knows of the node: looked at every two seconds while it is shown, and told by the
// change feed what was edited. Pages subscribe; nothing here touches the page.

import {follow, get, post} from './client.js';
import {kSkewAlarmMs, ago, names, number, plural, skewText} from './words.js';

const kLookMs = 2000;
const kMembersMs = 15000;
const kCompareMs = 20000;
const kSamplesMax = 300;
const kAgreedName = 'inos.agreed';

export const state = {
    status: null,       // of /v1/status
    members: [],        // of /v1/members
    schema: {},         // of /v1/schema
    compared: null,     // of /v1/verify, with `at`
    agreedSince: null,  // since when this page has seen all sites agree
    decisions: null,    // {count, more}: records with rival values
    samples: [],        // {at, lag, rate, records}
    problem: null,      // why the node could not be asked
    seenAt: null,
};

const listeners = new Set();
const changeListeners = new Set();

export function subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}
// Called a moment after records changed, with their names: [{collection, id}].
export function onRecords(listener) {
    changeListeners.add(listener);
    return () => changeListeners.delete(listener);
}
const tell = () => listeners.forEach((listener) => listener(state));

let stopped = true;
let timer = 0;
let feed = null;
let membersAt = 0;
let comparing = false;
let lastBytes = null;

function sample(status) {
    const at = Date.now();
    const total = status.peers.reduce((sum, peer) => sum + peer.bytes_in + peer.bytes_out, 0);
    const lag = status.peers.reduce((sum, peer) => sum + peer.behind + peer.ahead, 0);
    const seconds = lastBytes ? (at - lastBytes.at) / 1000 : 0;
    // A connection that began anew counts from nothing.
    const rate = seconds > 0 && total >= lastBytes.total ? (total - lastBytes.total) / seconds : 0;
    lastBytes = {at, total};
    state.samples.push({at, lag, rate});
    if (state.samples.length > kSamplesMax) state.samples.shift();
}

// Compares all sites anew when something has changed, or after a while.
export async function compare() {
    if (comparing) return;
    comparing = true;
    try {
        const answer = await post('/v1/verify', {});
        state.compared = {...answer, at: Date.now()};
        const kept = JSON.parse(sessionStorage.getItem(kAgreedName) || 'null');
        if (!answer.agree) state.agreedSince = null;
        else if (!state.agreedSince)
            state.agreedSince =
                kept && Date.now() - kept.seen < 2 * kCompareMs ? kept.since : Date.now();
        if (answer.agree) {
            sessionStorage.setItem(kAgreedName,
                                   JSON.stringify({since: state.agreedSince, seen: Date.now()}));
        } else {
            sessionStorage.removeItem(kAgreedName);
        }
    } catch {
        state.compared = null;
    } finally {
        comparing = false;
    }
    tell();
}

function wantsComparing(before, now) {
    if (!state.compared) return true;
    const shape = (status) => JSON.stringify([
        status.spaces[0].members.length, status.peers.map((p) => [p.site, p.state])]);
    if (before && shape(before) !== shape(now)) return true;
    const quiet = now.peers.every((peer) => peer.behind + peer.ahead === 0);
    if (quiet && state.compared.root !== now.spaces[0].root) return true;
    if (quiet && !state.compared.agree && Date.now() - state.compared.at > 3000) return true;
    return Date.now() - state.compared.at > kCompareMs;
}

export async function refreshMembers() {
    membersAt = Date.now();
    state.members = await get('/v1/members');
    tell();
}

export async function refreshSchema() {
    state.schema = await get('/v1/schema');
}

export async function refreshDecisions() {
    const answer = await get('/v1/conflicts?limit=100');
    state.decisions = {count: answer.records.length, more: answer.next !== null};
    tell();
}

export async function look() {
    try {
        const before = state.status;
        const status = await get('/v1/status');
        const grown = !before || before.spaces[0].members.length !== status.spaces[0].members.length;
        state.status = status;
        state.problem = null;
        state.seenAt = Date.now();
        sample(status);
        if (grown || Date.now() - membersAt > kMembersMs) await refreshMembers();
        if (wantsComparing(before, status)) compare();
    } catch (error) {
        state.problem = error;
    }
    tell();
}

async function lookOn() {
    if (stopped) return;
    if (!document.hidden) await look();
    if (!stopped) timer = setTimeout(lookOn, kLookMs);
}

let changed = [];
let tellingLater = 0;
function noteChange(event) {
    if (!event.collection) return;
    changed.push({collection: event.collection, id: event.id});
    if (tellingLater) return;
    tellingLater = setTimeout(async () => {
        tellingLater = 0;
        const list = changed;
        changed = [];
        changeListeners.forEach((listener) => listener(list));
        await refreshDecisions().catch(() => {});
        look();
    }, 400);
}

async function followOn() {
    const stop = new AbortController();
    feed = stop;
    while (!stop.signal.aborted) {
        try {
            await follow(stop.signal, () => refreshDecisions().catch(() => {}), noteChange);
        } catch (error) {
            if (error.status === 401) return;
        }
        await new Promise((resolve) => setTimeout(resolve, 3000));
    }
}

export async function start() {
    stopped = false;
    await look();
    if (!stopped && !state.problem) await refreshSchema().catch(() => {});
    timer = setTimeout(lookOn, kLookMs);
    followOn();
}

export function stop() {
    stopped = true;
    clearTimeout(timer);
    if (feed) feed.abort();
    Object.assign(state, {status: null, members: [], compared: null, agreedSince: null,
                          decisions: null, samples: [], problem: null});
}

document.addEventListener('visibilitychange', () => {
    if (!document.hidden && !stopped) look();
});

// ---- what it means -----------------------------------------------------------------------------

// One entry for each member: {name, site, self, kind, words, detail}. Kinds: self, even, moving,
// away, apart (no line of its own to here), differs.
export function sites(now) {
    const {status, members, compared} = now;
    return members.filter((m) => m.state === 'member').map((member) => {
        const lines = status.peers.filter((peer) => peer.site === member.site);
        const peer = lines.find((p) => p.state === 'connected') || lines[0];
        const verdict = compared && compared.peers.find((p) => p.site === member.site);
        const base = {name: member.name, site: member.site, role: member.role, member, peer,
                      self: member.self};
        if (member.self) return {...base, kind: 'self', words: 'this site'};
        if (peer && peer.state === 'connected') {
            if (verdict && verdict.state === 'differs')
                return {...base, kind: 'differs', words: 'holds something else'};
            if (peer.behind || peer.ahead) {
                const words = peer.behind && peer.ahead ? 'exchanging'
                    : peer.behind ? `${plural(peer.behind, 'change')} coming`
                    : `${plural(peer.ahead, 'change')} going there`;
                return {...base, kind: 'moving', words};
            }
            return {...base, kind: 'even', words: 'up to date'};
        }
        const heard = member.acknowledged ? `last heard of ${ago(member.acknowledged)}`
            : 'not heard of yet';
        if (!peer && member.missing === 0 && status.peers.length)
            return {...base, kind: 'apart', words: 'no direct line', detail: heard};
        return {...base, kind: 'away', words: 'away', detail: heard};
    });
}

// The one sentence, and the one below it. `kind`: good, busy, warn, bad.
export function headline(now) {
    const {status, compared, problem, agreedSince} = now;
    if (problem && !status)
        return {kind: 'bad', title: 'No answer', text: problem.message};
    if (problem)
        return {kind: 'bad', title: 'This site’s node does not answer',
                text: 'What you see below is how it was. Records are safe on its disk; the page ' +
                      'goes on by itself when the node is back.'};
    const all = sites(now);
    const by = (kind) => all.filter((site) => site.kind === kind);
    const space = status.spaces[0];
    if (!status.writable)
        return {kind: 'bad', title: 'This site cannot save',
                text: 'A write to its disk failed. What was saved before is still here.'};
    if (space.standing !== 'member')
        return {kind: 'bad', title: 'This site is no longer a member',
                text: 'It can be read, and takes no more changes.'};
    if (by('differs').length)
        return {kind: 'bad', title: 'Two sites hold different records',
                text: `${names(by('differs').map((s) => s.name))} and this site have seen the ` +
                      'same changes, and yet their records differ. Nothing is lost.'};
    if (all.length === 1)
        return {kind: 'good', title: 'This is the only site',
                text: 'All is well. Invite a second one, so that your records live in two places.'};
    if (space.arriving)
        return {kind: 'busy', title: 'Records are arriving',
                text: `${number(space.arriving.records)} of about ` +
                      `${plural(space.arriving.of, 'record')} are here.`};
    const away = by('away');
    if (away.length) {
        const others = by('even').length + by('moving').length + by('apart').length;
        return {kind: 'warn',
                title: away.length === 1 ? `${away[0].name} is away`
                    : `${number(away.length)} sites are away`,
                text: (others ? 'The other sites are connected. ' : 'This site works on its own. ') +
                      `What ${away.length === 1 ? 'it changes' : 'they change'} meanwhile is ` +
                      'exchanged when the line is back; nothing is lost.'};
    }
    if (by('moving').length)
        return {kind: 'busy', title: 'Catching up',
                text: 'Changes are on their way between sites. This takes a moment.'};
    if (compared && compared.agree)
        return {kind: 'good', title: 'All sites agree',
                text: `All ${number(all.length)} sites hold exactly the same records. Seen so ` +
                      `${agreedSince ? 'by this page since ' : ''}`, since: agreedSince};
    if (by('apart').length)
        return {kind: 'good', title: 'All is up to date here',
                text: `${names(by('apart').map((s) => s.name))} ` +
                      `${by('apart').length === 1 ? 'has' : 'have'} everything of this site, by ` +
                      'way of others.'};
    return {kind: 'busy', title: 'Comparing', text: 'The sites are being asked what they hold.'};
}

// What somebody has to look at: {kind, title, text, link, linkText}.
export function alarms(now) {
    const {status, problem} = now;
    if (!status) return [];
    const space = status.spaces[0];
    const list = [];
    if (problem)
        list.push({kind: 'bad', title: 'Look after the machine of this site',
                   text: 'Is it switched on, and is the program running there? It is started with ' +
                         'inos run. If you use this page from another machine, look at the line ' +
                         'to it, too.'});
    if (!status.writable)
        list.push({kind: 'bad', title: 'Make room on the disk, then restart the node',
                   text: 'Check that the disk of this machine is not full or broken. Then stop the ' +
                         'program and start it again.'});
    if (space.standing !== 'member')
        list.push({kind: 'bad', title: 'Ask for an invitation to join again',
                   text: space.standing === 'retired'
                       ? 'An administrator has retired this site for good.'
                       : 'The administrator who admitted this site was retired at that time.'});
    for (const fork of space.forks || [])
        list.push({kind: 'bad', title: `Two copies of ${fork.site || 'a site'} are running`,
                   text: 'Somebody copied its folder or its machine, and both write as one. Stop ' +
                         'one of them now; then ask whoever looks after your systems.'});
    for (const site of sites(now)) {
        if (site.kind === 'differs')
            list.push({kind: 'bad', title: `${site.name} holds other records than this site`,
                       text: 'Let the sites compare every record and put right what is damaged.',
                       link: '#/check', linkText: 'Check and repair'});
        if (site.peer && Math.abs(site.peer.skew_ms) > kSkewAlarmMs)
            list.push({kind: 'warn', title: `${site.name}: ${skewText(site.peer.skew_ms)}`,
                       text: 'Where two people change the same thing, the later time wins. Set the ' +
                             'clock of that machine (or of this one) to network time.'});
        if (site.kind === 'away' && site.peer && site.peer.last_error)
            list.push({kind: 'warn', title: `${site.name} cannot be reached`,
                       text: 'Is that machine switched on and on the network? This site keeps ' +
                             'trying. The last answer was: ' + site.peer.last_error});
    }
    if (space.continuity && space.continuity.reason)
        list.push({kind: 'warn', title: 'This site seems to run from a copy of its folder',
                   text: `${space.continuity.reason}. If an older copy was put back on purpose, ` +
                         'nothing needs to be done.'});
    for (const silent of space.purge_waits_for || [])
        list.push({kind: 'warn', title: `${silent.site} has been silent for a while`,
                   text: (silent.since ? `It was last heard of ${ago(silent.since)}. ` :
                          'It was never heard of. ') +
                         'Deleted records are kept until it is back. If it never comes back, ' +
                         'retire it.', link: '#/sites', linkText: 'Look at the sites'});
    if (space.admins === 1 && space.members.length > 1)
        list.push({kind: 'info', title: 'There is only one administrator',
                   text: 'If that machine is lost, only the recovery code on paper helps. Make a ' +
                         'second site an administrator.', link: '#/sites', linkText: 'Choose one'});
    for (const index of (space.indexes || []).filter((i) => !i.ready))
        list.push({kind: 'info', title: `Searching ${index.collection} is being prepared`,
                   text: `${number(index.done)} of about ${plural(index.of, 'record')} are done. ` +
                         'Everything works meanwhile; some searches are slower.'});
    return list;
}
