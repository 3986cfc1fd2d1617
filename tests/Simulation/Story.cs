using ControlPlane.Actors;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>How a story ended.</summary>
/// <param name="Steps">From the request to its end: the places at which something can strike.</param>
/// <param name="Refused">What the request was answered, if it was refused.</param>
/// <param name="Before">VM, NICs, ports and devices before the request.</param>
/// <param name="After">The same at the end.</param>
sealed record StoryEnd(RunReport Report, long Steps, Refusal? Refused, string Before, string After);

/// <summary>
/// One thing asked for in a quiet world, and perhaps deeds, each right before one of the steps until its end. Without
/// luck: the same story is the same run, step by step, up to the first deed.
/// </summary>
/// <param name="Made">What is asked for before, one after the other, each until all is quiet.</param>
sealed record Story(Options Options, IReadOnlyList<(EntityId To, Command Body)> Made, (EntityId To, Command Body) Asked)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>What dies is back by then, and has said what it has to say.</summary>
    static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(12);

    /// <param name="deeds">In the order of their steps; 1 is the first step after the request was sent off.</param>
    public StoryEnd Tell(params (long AtStep, Action<World> Deed)[] deeds)
    {
        var (steps, before, after, refused) = (0L, "", "", (Refusal?)null);
        var report = Run.Of(Choices.Of([]), Options, Mutant.None, null, Play, null);
        return new StoryEnd(report, steps, refused, before, after);

        void Play(World world, List<Client> clients)
        {
            Run.Begin(world);
            foreach (var made in Made)
            {
                Ask(world, clients, made);
                UntilQuiet(world, clients);
            }
            before = Picture(world);
            Ask(world, clients, Asked);
            var from = world.Simulator.Steps;
            foreach (var (step, deed) in deeds)
            {
                Run.Until(world, world.Simulator.Elapsed + Limit, () => world.Simulator.Steps - from >= step - 1, every: 1);
                world.Say($"the deed, before step {step}");
                deed(world);
            }
            UntilQuiet(world, clients);
            steps = world.Simulator.Steps - from;
            Run.Until(world, world.Simulator.Elapsed + Aftermath, () => false);
            UntilQuiet(world, clients);
            after = Picture(world);
            refused = clients[^1].History[^1].Answer?.Refusal;
            if (world.Check.Found is null)
            {
                Oracle.Judge(world, clients);
            }
        }
    }

    static void Ask(World world, List<Client> clients, (EntityId, Command) what)
    {
        clients.Add(new Client(world, $"client{clients.Count + 1}", 1, _ => what));
        clients[^1].Begin();
    }

    static void UntilQuiet(World world, List<Client> clients)
    {
        var quiet = new Quiet(world, clients);
        if (!Run.Until(world, world.Simulator.Elapsed + Limit, () => clients[^1].Done && Settled(world) && quiet.Reached, every: 1) && world.Check.Found is null)
        {
            world.Check.Violate(new Violation(RunEnd.Stuck, "I30", Settled(world) ? quiet.Why : "a shard is at no node"));
        }
    }

    static bool Settled(World world) => world.Check.Shards.All(world.Settled);

    /// <summary>
    /// What is stored of VM, NICs and ports, byte by byte but for sessions and places of what was seen, and the devices
    /// that the hosts have.
    /// </summary>
    static string Picture(World world) => string.Join('\n', [
        .. world.Check.Followers.Where(pair => pair.Key.Kind is "vm" or "nic" or "port")
            .Select(pair => $"{pair.Key}: {System.Text.Encoding.UTF8.GetString(StateNames.Encode(pair.Key, WithoutSessions(States.Of(pair.Value))))}"),
        .. world.Hosts.SelectMany(host => host.Devices().Select(device => $"{host.Name}: {device}")).Order(StringComparer.Ordinal),
    ]);

    static object WithoutSessions(object state) => state switch
    {
        NicState.Absent s => s with { SeenIn = 0 },
        NicState.Created s => s with { Body = s.Body with { SeenIn = 0, Heard = null } },
        NicState.Connected s => s with { Body = s.Body with { SeenIn = 0, Heard = null } },
        NicState.Disconnected s => s with { Body = s.Body with { SeenIn = 0, Heard = null } },
        PortState.Created s => s with { Body = s.Body with { SeenIn = 0 } },
        PortState.TornDown s => s with { Body = s.Body with { SeenIn = 0 } },
        _ => state,
    };
}
