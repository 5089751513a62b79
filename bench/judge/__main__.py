"""``make judge``: compares the studio's articles with those of other systems, judged blind by people or models."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import openai

from bench.judge.blind_folder import write_blind_folder
from bench.judge.comparison import Comparison, JudgeError
from bench.judge.prompts import rival_prompt, today
from bench.judge.relay import running_relay, write_whole
from bench.judge.scoring import read_judged, score_table
from bench.judge.writing import SYSTEMS, provider_from, write_article

SOURCES_HELP = "folder with brief.yaml and the sources"


def prepare(options: argparse.Namespace) -> None:
    comparison = Comparison.read(options.sources)
    path = comparison.output / "rival_prompt.md"
    write_whole(path, rival_prompt(comparison, today()))
    words = sum(len(source.text.split()) for source in comparison.sources)
    print(f"{len(comparison.sources)} sources, {words:,} words. Wrote {path}.")


def write(options: argparse.Namespace) -> None:
    comparison = Comparison.read(options.sources)

    async def run() -> Path:
        async with provider_from(options.relay, options.model, options.wait) as provider:
            if options.relay:
                print(f"Answer the requests in {options.relay}.", file=sys.stderr)
            return await write_article(comparison, options.system, provider)

    print(f"Wrote {asyncio.run(run())}.")


def blind(options: argparse.Namespace) -> None:
    comparison = Comparison.read(options.sources)
    folder, key = write_blind_folder(comparison, options.pair, options.out, options.seed, today())
    print(
        f"The judge's folder is {folder}; begin with its instructions.md. The key is {key}: do not show it to the judge."
    )


def score(options: argparse.Namespace) -> None:
    table = score_table(read_judged(options.sources))
    print(table, end="")
    path = options.out or options.sources[0] / "output" / "score.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, table)
    print(f"Wrote {path}.", file=sys.stderr)


def relay(options: argparse.Namespace) -> None:
    async def serve() -> None:
        async with running_relay(options.relay, options.wait, options.port) as base_url:
            print(f"OPENAI_BASE_URL={base_url}", flush=True)
            await asyncio.Event().wait()

    asyncio.run(serve())


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("prepare", help="check the sources and write the prompt of the single-prompt rival")
    command.set_defaults(run=prepare)
    command.add_argument("sources", type=Path, help=SOURCES_HELP)

    command = commands.add_parser("write", help="write the article of one system")
    command.set_defaults(run=write)
    command.add_argument("sources", type=Path, help=SOURCES_HELP)
    command.add_argument("--system", choices=sorted(SYSTEMS), required=True)
    command.add_argument("--relay", type=Path, help="folder of requests and answers, instead of OPENAI_BASE_URL")
    command.add_argument("--model", default="", help="instead of LLM_MODEL")
    command.add_argument("--wait", type=float, default=1700, help="seconds until a call without an answer fails")

    command = commands.add_parser("blind", help="write the folder for one judge of two articles")
    command.set_defaults(run=blind)
    command.add_argument("sources", type=Path, help=SOURCES_HELP)
    command.add_argument("--pair", nargs=2, metavar="SYSTEM", required=True)
    command.add_argument("--out", type=Path, help="the judge's folder; by default a numbered one below the sources")
    command.add_argument("--seed", type=int, help="of the order of the articles; by default the number of the folder")

    command = commands.add_parser("score", help="add up the verdicts of all judges")
    command.set_defaults(run=score)
    command.add_argument("sources", type=Path, nargs="+", help=SOURCES_HELP)
    command.add_argument("--out", type=Path, help="Markdown file; by default output/score.md of the first folder")

    command = commands.add_parser("relay", help="only serve a folder of requests and answers as a model")
    command.set_defaults(run=relay)
    command.add_argument("--relay", type=Path, default=Path("relay"), help="the folder")
    command.add_argument("--port", type=int, default=9400)
    command.add_argument("--wait", type=float, default=1700, help="seconds until a call without an answer fails")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (JudgeError, openai.OpenAIError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
