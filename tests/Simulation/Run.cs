namespace ControlPlane.Simulation;

/// <summary>What one run came to.</summary>
/// <param name="Tape">The choices that were not 0: given again, they give the same run.</param>
public sealed record RunReport(
    Violation? Violation, string Hash, long Steps, TimeSpan Simulated, long Rows, Tally Struck, Tally Asked, IReadOnlyList<Choice> Tape, IReadOnlyList<string> Tail)
{
    public RunEnd End => Violation?.End ?? RunEnd.Held;
}

/// <summary>
/// One history: a cluster with hosts and clients under faults, then the same without faults until all is done, then the
/// journal against what the clients were told (reliability.md 12.5).
/// </summary>
public static class Run
{
    /// <summary>The part with faults ends here at the latest.</summary>
    static readonly TimeSpan SafetyMax = TimeSpan.FromMinutes(20);

    /// <summary>Without faults, everything is done within this.</summary>
    static readonly TimeSpan LivenessMax = TimeSpan.FromMinutes(10);

    const long StepsMax = 2_000_000;

    /// <param name="cells">Counts what each state was told, if given.</param>
    public static RunReport Of(ulong seed, Mutant mutant = Mutant.None, Action<string>? listener = null, Tally? cells = null)
    {
        var luck = Choices.Of(seed);
        return Of(luck, Mutants.Likelier(mutant, Options.From(luck)), mutant, listener, Play, cells);
    }

    public static RunReport Of(IEnumerable<Choice> tape, Mutant mutant = Mutant.None, Action<string>? listener = null)
    {
        var luck = Choices.Of(tape);
        return Of(luck, Mutants.Likelier(mutant, Options.From(luck)), mutant, listener);
    }

    public static RunReport Of(Choices luck, Options options, Mutant mutant = Mutant.None, Action<string>? listener = null) =>
        Of(luck, options, mutant, listener, Play, null);

    /// <summary>Any other play in a world of the same kind: what it throws and what it finds is the run's outcome.</summary>
    internal static RunReport Of(Choices luck, Options options, Mutant mutant, Action<string>? listener, Action<World, List<Client>> play, Tally? cells)
    {
        var trace = new Trace(listener: listener);
        var world = new World(luck, options, mutant, trace, cells);
        var clients = new List<Client>();
        var around = SynchronizationContext.Current;
        try
        {
            // What runs the tests has one of its own, and awaits would go on there.
            SynchronizationContext.SetSynchronizationContext(null);
            play(world, clients);
        }
#pragma warning disable CA1031 // Whatever it is, it is the outcome of this run.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            world.Check.Violate(new Violation(RunEnd.Crashed, "no exception", defect.ToString()));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(around);
        }
        var asked = new Tally();
        foreach (var request in clients.SelectMany(client => client.History))
        {
            asked.Count(request.Answer is null ? "unanswered" : request.Answer.Refusal is { } refusal ? $"refused: {refusal.Code}" : "done");
        }
        return new RunReport(
            world.Check.Found, trace.Hash, world.Simulator.Steps, world.Simulator.Elapsed, world.Journal.Count, world.Struck, asked, [.. luck.Taken], [.. trace.Tail]);
    }

    static void Play(World world, List<Client> clients)
    {
        Begin(world);
        new Supervisor(world).Begin();
        var wishes = new Wishes(world);
        clients.AddRange(Enumerable.Range(1, world.Options.Clients).Select(number => new Client(
            world, $"client{number}", world.Options.Requests, number == 2 ? wishes.OfPeer : wishes.OfOperator)));
        clients.Add(new Client(world, "setup", 10, wishes.OfSetup));
        AddMore(world, clients);
        clients.ForEach(client => client.Begin());
        var trouble = new Trouble(world, world.Options.TroubleEvery ?? TimeSpan.FromDays(1));
        trouble.Begin();

        Until(world, SafetyMax, () => clients.TrueForAll(client => client.Done));
        world.Heal();
        trouble.Mend();
        Recover(world);
        var limit = world.Simulator.Elapsed + LivenessMax;
        Until(world, limit, () => clients.TrueForAll(client => client.Done));
        clients.Add(new Client(world, "janitor", 1_000, wishes.OfJanitor(clients)));
        clients[^1].Begin();
        var quiet = new Quiet(world, clients);
        if (!Until(world, limit, () => quiet.Reached) && world.Check.Found is null)
        {
            world.Check.Violate(new Violation(RunEnd.Stuck, "I30", quiet.Why));
        }
        if (world.Check.Found is null)
        {
            Oracle.Judge(world, clients);
        }
    }

    /// <summary>Those who come only if what they ask for is wanted in this run.</summary>
    static void AddMore(World world, List<Client> clients)
    {
        if (world.Options.Impatient)
        {
            clients.Add(new Client(world, "impatient", world.Options.Requests * 2, new Impatient(world).Wish));
        }
        var wanted = world.Options.Wanted;
        if (wanted is { Properties: true } or { Updates: true } or { Data: true } or { Cancels: true } or { Guests: true })
        {
            clients.Add(new Client(world, "tenant", world.Options.Requests * 2, new OidWishes(world).Next, Wantless.Passes));
        }
        if (wanted is { Switches: true } or { Hosts: true })
        {
            clients.Add(new Client(world, "upkeep", world.Options.Requests, new Upkeep(world).Next, Wantless.Passes));
        }
        if (wanted.Joins)
        {
            clients.Add(new Client(world, "joiner", world.Options.Requests, new Joins(world).Next, Wantless.Passes));
        }
        if (wanted.Moves)
        {
            clients.Add(new Client(world, "mover", world.Options.Requests * 2, new Movers(world).Next));
        }
        if (wanted.Stack)
        {
            clients.Add(new Client(world, "extensions", 10_000, new LateAnswers(world).Next, Wantless.Waits));
        }
    }

    /// <summary>Nodes and agents begin.</summary>
    internal static void Begin(World world)
    {
        for (var node = 0; node < world.Options.Nodes; node++)
        {
            world.Cluster.StartNode();
        }
        foreach (var host in world.Hosts)
        {
            host.StartAgent();
        }
    }

    /// <summary>Everything that must be there for work to go on is there.</summary>
    static void Recover(World world)
    {
        if (!world.Nodes.Exists(node => node.Process.Alive))
        {
            world.Cluster.StartNode();
        }
        foreach (var host in world.Hosts.Where(host => host.FrameLost || host.Agent is not { Alive: true }))
        {
            host.KillAgent();
            host.TurnOn();
            host.StartAgent();
        }
    }

    /// <summary>False: the time came first, or something was found.</summary>
    /// <param name="every">Steps between two looks.</param>
    internal static bool Until(World world, TimeSpan limit, Func<bool> reached, int every = 64)
    {
        var simulator = world.Simulator;
        for (var look = 0; ; look++)
        {
            if (look % every == 0 && reached())
            {
                return true;
            }
            if (!simulator.Step(limit) && simulator.Elapsed >= limit)
            {
                return reached();
            }
            if (simulator.Escaped is { } escaped)
            {
                world.Check.Violate(new Violation(RunEnd.Crashed, "one thread", escaped));
            }
            if (simulator.Defect is { } defect)
            {
                world.Check.Violate(new Violation(RunEnd.Crashed, "no exception", defect.ToString()));
            }
            if (simulator.Steps > StepsMax)
            {
                world.Check.Violate(new Violation(RunEnd.Stuck, "steps", $"{StepsMax} steps were not enough"));
            }
            if (world.Mutant == Mutant.Canary && simulator.Steps > 1_000)
            {
                world.Check.Violate("canary", "never holds");
            }
            if (world.Check.Found is not null)
            {
                return false;
            }
        }
    }
}
