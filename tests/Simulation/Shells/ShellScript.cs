using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;

namespace ControlPlane.Simulation.Shells;

/// <summary>What happens to a shell next: chosen from a seed, and from what the shell said so far.</summary>
/// <param name="commands">What the entity may be asked; the number makes names.</param>
sealed class ShellScript(Choices luck, EntityId id, Func<Choices, int, Command> commands)
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    static readonly EntityId Peer = EntityId.Vm("peer");

    readonly List<Envelope> _said = [];
    int _number;

    /// <summary>What happened, for a failure's words, and for the count of what was met.</summary>
    public Tally Met { get; } = new();

    public Act Next(Stage stage)
    {
        if (!stage.Lives)
        {
            return _said.Count > 0 && luck.Next("nobody", 6) == 0 ? Hear(stage) : Begin(stage);
        }
        if (stage.Recovering)
        {
            return luck.Next("recover", 3) == 0 ? Hear(stage) : Plain("recover", shell => shell.Recover());
        }
        if (stage.Open is not null && luck.Next("write", 5) < 2)
        {
            var fate = luck.Next("fate", 24) switch { 0 => Fate.Rejected, 1 => Fate.Lost, 2 => Fate.Committed, _ => Fate.Stored };
            return Plain($"write {fate}", shell => shell.EndWrite(fate));
        }
        return luck.Next("act", 20) switch
        {
            0 or 1 or 2 => Pass(1 + luck.Next("ticks", 12)),
            3 => Pass(100),
            _ => Hear(stage),
        };
    }

    Act Begin(Stage stage)
    {
        var (snapshot, words) = luck.Next("snapshot", 5) switch
        {
            0 => ((object?)null, "none"),
            1 when stage.Kept is { } kept => (kept with { State = "no state" }, "unfit"),
            2 when stage.Kept is not null => (new UnreadableSnapshot("State.9", "newer"), "unreadable"),
            _ => (stage.Kept, stage.Kept is null ? "none" : "kept"),
        };
        var sequence = stage.Kept?.Sequence ?? 0;
        (var reading, words) = luck.Next("reading", 24) switch
        {
            0 => (rows => rows.Select(row => row with { Who = "operator:other" }), words + ", edited rows"),
            1 => (_ => throw new IOException("away"), words + ", rows that cannot be read"),
            2 => (_ => throw new UnknownWordException("Painted.1"), words + ", rows of a newer release"),
            3 => (rows => rows.SkipLast(1), words + ", rows without the last"),
            _ => ((Func<IEnumerable<StoredEvent>, IEnumerable<StoredEvent>>)(rows => rows), words),
        };
        return Plain($"begin with snapshot {words}", shell => shell.Begin(snapshot is null ? null : (snapshot, sequence), reading));
    }

    Act Hear(Stage stage) => luck.Next("hear", 20) switch
    {
        0 => Plain("wake", shell => shell.Hear(new Wake(id), null)),
        1 when luck.Next("stop", 2) == 0 => Plain("stop", shell => shell.Hear(EntityStop.Instance, null)),
        2 or 3 or 4 or 5 or 6 when stage.Asked.Count > 0 => Answer(luck.Pick("answered", stage.Asked)),
        7 or 8 when _said.Count > 0 => Again(luck.Pick("again", _said)),
        _ => Say(New()),
    };

    Envelope New()
    {
        var number = ++_number;
        var envelope = new Envelope(id, $"m{number}", "operator:ann", $"c{number}", commands(luck, number), BodyHash: $"h{number}");
        _said.Add(envelope);
        return luck.Next("manner", 12) switch
        {
            0 => envelope with { DryRun = true },
            1 => envelope with { From = Peer },
            2 => envelope with { IfRevision = luck.Next("revision", 6) },
            3 => envelope with { Deadline = DateTimeOffset.UnixEpoch },
            4 => envelope with { OperationId = $"o{number}" },
            _ => envelope,
        };
    }

    Act Again(Envelope before) => luck.Next("body", 4) switch
    {
        0 => Say(before with { BodyHash = "other" }, "repeat with another body"),
        _ => Say(before, "repeat"),
    };

    Act Say(Envelope envelope, string what = "command")
    {
        var door = luck.Next("door", 6) is var chosen && chosen == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"door {chosen}");
        return new Act($"{what} {envelope} of {door ?? "nobody"}", Count(what, shell => shell.Hear(envelope, door)));
    }

    Act Answer(Envelope question)
    {
        var (reply, refusal) = luck.Next("answer", 5) switch
        {
            0 => ((Reply?)null, new Refusal(RefusalKind.Unavailable, "x", "x")),
            1 => (null, Refusal.Illegal("x.illegal", "No.", "R1", "there")),
            _ => (new Done(), (Refusal?)null),
        };
        var answer = new Answer(luck.Next("whose", 10) == 0 ? "stranger>x" : question.MessageId, question.To, id, 1, 1, reply, refusal);
        return new Act($"answer {answer}", Count("answer", shell => shell.Hear(answer, null)));
    }

    Act Pass(int ticks) => Plain($"time {(ticks < 100 ? "short" : "long")}", shell =>
    {
        for (var n = 0; n < ticks; n++)
        {
            shell.Pass(Tick);
        }
    });

    Act Plain(string what, Action<IShell> how) => new(what, Count(what, how));

    Action<IShell> Count(string what, Action<IShell> how)
    {
        Met.Count(what);
        return how;
    }
}

/// <summary>One input, in words and as it is done to a shell.</summary>
sealed record Act(string Words, Action<IShell> To);
