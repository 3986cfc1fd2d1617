using System.Diagnostics;

namespace ControlPlane.Simulation;

public sealed class ProcessTests
{
    [Fact]
    public void Same_seed_gives_the_same_history_in_two_processes_under_two_cultures_and_time_zones()
    {
        var one = Tell("TZ=UTC", "--seed", "11");
        var other = Tell("TZ=Asia/Kolkata", "--seed", "11", "--decimal", ",", "--minus", "−");
        Assert.Contains("held; trace ", one, StringComparison.Ordinal);
        Assert.Equal(one, other);
    }

    [Fact]
    public void Work_that_leaves_the_thread_is_caught()
    {
        SynchronizationContext.SetSynchronizationContext(null);
        var simulator = new Simulator(Choices.Of([]), new Trace());
        var process = new Process(simulator, "runaway");
        using var far = new ManualResetEventSlim();
        process.Run(async () =>
        {
            await Task.Run(far.Wait);
        });
        simulator.Step(TimeSpan.FromSeconds(1));
        far.Set();
        Assert.True(SpinWait.SpinUntil(() => simulator.Escaped is not null, TimeSpan.FromSeconds(20)));
        Assert.StartsWith("runaway was woken from thread", simulator.Escaped, StringComparison.Ordinal);
    }

    [Fact]
    public void Killed_process_says_no_last_word()
    {
        SynchronizationContext.SetSynchronizationContext(null);
        var simulator = new Simulator(Choices.Of([]), new Trace());
        var process = new Process(simulator, "victim");
        var said = false;
        process.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), process.Clock);
            said = true;
        });
        simulator.Step(TimeSpan.FromSeconds(5));
        process.Kill();
        while (simulator.Step(TimeSpan.FromSeconds(5)))
        {
        }
        Assert.False(said);
        Assert.Equal(TimeSpan.FromSeconds(5), simulator.Elapsed);
    }

    static string Tell(string zone, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Run).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        start.Environment["TZ"] = zone[3..];
        using var child = System.Diagnostics.Process.Start(start)!;
        var told = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        return told;
    }
}
