// Comparing all sites, and putting right what is damaged.

import {post} from './client.js';
import {busy, button, confirmed, failed, h, icon, loading} from './dom.js';
import {linkOf} from './records.js';
import {compare, state} from './state.js';
import {names, number, plural, time} from './words.js';

const kVerdicts = {
    agrees: ['good', 'Holds the same', ''],
    differs: ['bad', 'Holds other records', 'Run “Check and repair” below.'],
    behind: ['busy', 'Its changes are on the way here', 'Wait a moment and check again.'],
    ahead: ['busy', 'Changes are on the way there', 'Wait a moment and check again.'],
    diverged: ['busy', 'Changes are on the way in both directions',
               'Wait a moment and check again.'],
    unreachable: ['warn', 'Not connected to this site',
                  'Check again when it is back, or check at a site that it is connected to.'],
};

function verdict(peer) {
    const [kind, title, advice] = kVerdicts[peer.state] || ['warn', peer.state, ''];
    return h('tr', {}, h('th', {scope: 'row'}, h('span', {class: `dot ${kind}`}), peer.name),
             h('td', {'data-label': 'Result'}, title),
             h('td', {'data-label': 'What to do'}, advice || h('span', {class: 'soft'}, 'nothing')));
}

function summary(answer) {
    const differ = answer.peers.filter((peer) => peer.state === 'differs');
    const out = answer.peers.filter((peer) => peer.state === 'unreachable');
    const way = answer.peers.length - differ.length - out.length -
                answer.peers.filter((peer) => peer.state === 'agrees').length;
    if (!answer.peers.length)
        return ['good', 'There is no other site to compare with'];
    if (answer.agree)
        return ['good', `All ${answer.peers.length + 1} sites hold exactly the same`];
    if (differ.length)
        return ['bad', `${names(differ.map((peer) => peer.name))} ` +
                       `${differ.length === 1 ? 'holds' : 'hold'} other records`];
    if (way)
        return ['busy', 'Changes are still on their way'];
    return ['warn', `${names(out.map((peer) => peer.name))} could not be asked`];
}

const kSigns = {good: 'check', busy: 'sync', warn: 'pause', bad: 'alert'};

function notes(title, list, count) {
    if (!count) return '';
    return h('div', {}, h('h3', {}, `${title}: ${plural(count, 'record')}`),
             h('ul', {}, list.map((note) => h('li', {},
                 note.id ? h('a', {href: linkOf(note.collection, note.id)}, note.id)
                         : 'sums or marks of erased records',
                 ` – ${note.what}`))));
}

function repairPart(repair) {
    if (!repair) return '';
    const fine = !repair.repaired_count && !repair.left_count && !repair.log.length;
    return h('section', {class: 'card'}, h('h2', {}, 'What the repair found'),
             h('p', {}, fine ? `All ${number(repair.looked)} records were read, and nothing is ` +
                               'damaged.' : `${plural(repair.looked, 'record')} were read.`),
             notes('Put right', repair.repaired, repair.repaired_count),
             notes('Still damaged', repair.left, repair.left_count),
             repair.left_count > 0 && h('p', {}, 'Check again when more sites are connected: an ' +
                                                 'undamaged copy may be at one that is away.'),
             repair.log.length > 0 && h('div', {}, h('h3', {}, 'The log of this site is damaged'),
                 h('ul', {}, repair.log.map((words) => h('li', {}, words))),
                 h('p', {}, 'Make a backup now and have the disk of this machine looked at.')));
}

function result(answer, at) {
    const [kind, title] = summary(answer);
    return [h('section', {class: `hero small ${kind}`},
              h('div', {class: 'hero-sign'}, icon(kSigns[kind], 28)),
              h('div', {}, h('h2', {}, title), h('p', {class: 'soft'}, `Checked at ${time(at)}`))),
            answer.peers.length > 0 && h('section', {class: 'card flush'},
                h('table', {class: 'table stack'},
                  h('caption', {class: 'hidden'}, 'Result of the check, site by site'),
                  h('thead', {}, h('tr', {}, ['Site', 'Result', 'What to do'].map((text) =>
                      h('th', {scope: 'col'}, text)))),
                  h('tbody', {}, answer.peers.map(verdict)))),
            answer.systems && answer.systems.length > 0 && h('section', {class: 'card'},
                h('h2', {}, 'Connected systems'),
                h('ul', {}, answer.systems.map((system) => h('li', {},
                    typeof system === 'string' ? system : `${system.name}: ${system.state}`)))),
            repairPart(answer.repair),
            h('details', {}, h('summary', {}, 'The sum over all records'),
              h('p', {class: 'code'}, answer.root),
              h('p', {class: 'soft'}, 'Equal at all sites that hold the same.'))].filter(Boolean);
}

export function check(root) {
    const box = h('div', {role: 'region', 'aria-live': 'polite', 'aria-label': 'Result'});
    const run = async (body) => {
        box.replaceChildren(loading(body.repair ? 'Reading every record…' : 'Asking all sites…'));
        try {
            const answer = await post('/v1/verify', body);
            box.replaceChildren(...result(answer, Date.now()));
            compare();
        } catch (error) {
            box.replaceChildren(failed(error, () => run(body)));
        }
    };
    const repair = async () => {
        const sure = await confirmed('Check and repair?',
            ['Every record of this site is read and compared with its log. What is damaged is made ' +
             'anew, with the help of the other sites. Nobody’s edit is changed.',
             'It may take some minutes; everything goes on working meanwhile.'], 'Check and repair');
        if (sure) await run({repair: true});
    };
    root.append(h('h1', {}, 'Check'),
                h('p', {class: 'lead'}, 'Compares what all connected sites hold, down to the last ' +
                                        'letter. It takes a moment and changes nothing.'),
                h('div', {class: 'row'},
                  button('Check all sites now', (event) =>
                      busy(event.currentTarget, () => run({})), 'primary'),
                  button('Check and repair…', (event) => busy(event.currentTarget, repair))),
                box);
    if (state.compared) box.replaceChildren(...result(state.compared, state.compared.at));
}
